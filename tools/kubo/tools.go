// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package tools pins the version of Kubo (IPFS) that the network is tested with: go.mod and go.sum lock it and all it is built from.
package tools

import _ "github.com/ipfs/kubo/cmd/ipfs"
