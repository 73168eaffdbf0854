// SPDX-License-Identifier: Apache-2.0
// Prints trees.json with OpenZeppelin's own package, so that the contracts are tested against what operators will use:
//   .venv/bin/node tests/contracts/merkle/trees.mjs > tests/contracts/merkle/trees.json
// People are those of tests/contracts/system.py: key("listed 0"), key("listed 1"), ...
import { createRequire } from "node:module";

const installed = createRequire(new URL("../../../.tools/npm/", import.meta.url));
const { StandardMerkleTree } = installed("@openzeppelin/merkle-tree");

const PEOPLE = [
  "0x6d02899AaAdfB0054521679aC4447Da22A4dd6bA",
  "0x312E2dc4280B54F869fBb9e2C64fD7C2bE804350",
  "0x4E9DaccBBB2c1d93F4Cb4CAa94FBdC05dc4D2cf8",
  "0x53BBAcE759Dad0c824ccde8bA13027cD67D04c17",
  "0xf2799eAd9f3BC01D58c49744edBca6DCdC9c1576",
];
const WORKER = "1";
const VERIFIER = "2";
const IFX = 10n ** 18n;

/** A root, and a proof for each leaf that `shown` picks. */
function tree(types, leaves, shown = () => true) {
  const made = StandardMerkleTree.of(leaves, types);
  const proofs = [...made.entries()]
    .filter(([, value]) => shown(value))
    .map(([index, value]) => ({ value, proof: made.getProof(index) }));
  return { types, root: made.root, leaves: proofs };
}

const stranger = (index) => `0x${(0xabcdef000000 + index).toString(16).padStart(40, "0")}`;
const strangers = Array.from({ length: 1000 }, (_, index) => [stranger(index), WORKER, "1"]);
const places = PEOPLE.flatMap((person) => [
  [person, WORKER, "1"],
  [person, WORKER, "2"],
  [person, VERIFIER, "1"],
]);
// 66.70 % is not enough, 66.71 % is; an odd number of leaves leaves one without a sibling
const participation = [10_000, 6_671, 6_670, 0, 9_000, 8_000, 7_000].map((bps, index) => [String(index + 1), String(bps)]);

const trees = {
  whitelist: tree(["address", "uint256", "uint256"], [...places, ...strangers], ([person]) => PEOPLE.includes(person)),
  airdrop: tree(["address", "uint256"], PEOPLE.map((person, index) => [person, String(BigInt(index + 1) * 1000n * IFX)])),
  single: tree(["address", "uint256"], [[PEOPLE[0], "1"]]),
  participation: tree(["uint256", "uint256"], participation),
};
process.stdout.write(`${JSON.stringify(trees, null, 1)}\n`);
