"""Recomputes the vectors of dialect `spec` with another SSZ implementation.

Builds each container from its description (`../golden/spec_*.json`, the key `flashblock`), takes
nothing else from there, and prints the SSZ bytes and the hash tree root of each as JSON:

    pip install remerkleable==0.1.28
    python3 spec_vectors.py > spec_vectors.json

A test of the crate compares that file with what the crate's own encoder writes.
"""

import json
import pathlib

from remerkleable.basic import uint8, uint64, uint256
from remerkleable.byte_arrays import ByteList, ByteVector
from remerkleable.complex import Container, List


class Withdrawal(Container):
    index: uint64
    validator_index: uint64
    address: ByteVector[20]
    amount: uint64


class ExecutionPayloadStaticV1(Container):
    parent_beacon_block_root: ByteVector[32]
    parent_hash: ByteVector[32]
    fee_recipient: ByteVector[20]
    prev_randao: ByteVector[32]
    block_number: uint64
    gas_limit: uint64
    timestamp: uint64
    extra_data: ByteList[32]
    base_fee_per_gas: uint256


class ExecutionPayloadFlashblockDeltaV1(Container):
    state_root: ByteVector[32]
    receipts_root: ByteVector[32]
    logs_bloom: ByteVector[256]
    gas_used: uint64
    block_hash: ByteVector[32]
    transactions: List[ByteList[2**30], 2**20]
    withdrawals: List[Withdrawal, 16]
    withdrawals_root: ByteVector[32]


class StorageSlot(Container):
    key: ByteVector[32]
    value: ByteVector[32]


class AccountMetadata(Container):
    address: ByteVector[20]
    balance: List[uint256, 1]
    nonce: uint64
    code: List[ByteList[2**24], 1]
    storage_slots: List[StorageSlot, 2**20]


class TransactionMetadata(Container):
    status: uint8
    gas_used: uint64
    contract_address: List[ByteVector[20], 1]


class FlashblocksMetadata(Container):
    accounts: List[AccountMetadata, 2**20]
    transactions: List[TransactionMetadata, 2**20]


class FlashblocksPayloadV1(Container):
    version: ByteVector[4]
    payload_id: ByteVector[8]
    parent_flash_hash: List[ByteVector[32], 1]
    index: uint64
    static: List[ExecutionPayloadStaticV1, 1]
    diff: ExecutionPayloadFlashblockDeltaV1
    metadata: FlashblocksMetadata


def build(kind, value):
    """The value of type `kind` that a description means."""
    if issubclass(kind, Container):
        fields = kind.fields()
        assert set(fields) == set(value), (kind, set(fields) ^ set(value))
        return kind(**{name: build(of, value[name]) for name, of in fields.items()})
    if issubclass(kind, (ByteList, ByteVector)):
        return kind(bytes.fromhex(value.removeprefix("0x")))
    if issubclass(kind, List):
        if kind.limit() == 1:
            value = [] if value is None else [value]
        return kind(*(build(kind.element_cls(), item) for item in value))
    return kind(int(value))


def main():
    golden = pathlib.Path(__file__).resolve().parent.parent / "golden"
    vectors = {}
    for path in sorted(golden.glob("spec_*.json")):
        described = json.loads(path.read_text())
        flashblock = build(FlashblocksPayloadV1, described["flashblock"])
        encoded = flashblock.encode_bytes()
        assert FlashblocksPayloadV1.decode_bytes(encoded) == flashblock
        vectors[described["name"]] = {
            "ssz": encoded.hex(),
            "hash_tree_root": "0x" + flashblock.hash_tree_root().hex(),
        }
    print(json.dumps(vectors, indent=2))


if __name__ == "__main__":
    main()
