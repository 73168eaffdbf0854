# SPDX-License-Identifier: Apache-2.0
"""Documents in a store: one raw block each, named by the digest that is on chain."""

from typing import TypeVar

from inferix.models.anchor import Chunked
from inferix.models.document import MAX_DOCUMENT, Document
from inferix.storage.blobs import BlobStore
from inferix.storage.cid import Cid, Codec

Kind = TypeVar("Kind", bound=Document)


def document_cid(digest: bytes) -> Cid:
    """The CID under which a document of this digest is stored."""
    return Cid(Codec.RAW, digest)


def put_document(store: BlobStore, document: Document) -> bytes:
    """Stores and pins a document; its digest."""
    body = document.encode()
    cid = Cid.of(Codec.RAW, body)
    store.put_block(cid, body)
    store.pin(cid)
    return cid.digest


def put_chunked(store: BlobStore, document: Chunked) -> bytes:
    """Stores and pins all of a document that may be cut; the digest of the first."""
    first, *others = document.cut()
    for part in others:
        put_document(store, part)
    return put_document(store, first)


def get_document(store: BlobStore, kind: type[Kind], digest: bytes) -> Kind:
    """The document of a digest. Raises StorageError when it is not to be had, Corrupt when it is no ``kind``."""
    body = b"".join(store.open(document_cid(digest), MAX_DOCUMENT))
    return kind.decode(body, digest)
