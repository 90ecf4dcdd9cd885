"""Makes vectors.json beside it with remerkleable, another implementation of SSZ: bids and beacon blocks of
three forks, blinded and full, with every list filled.

    pip install remerkleable==0.1.28
    python make.py
"""

import json
import random
from hashlib import sha256
from pathlib import Path

from remerkleable.basic import uint64, uint256
from remerkleable.bitfields import Bitlist, Bitvector
from remerkleable.byte_arrays import ByteList, Bytes4, Bytes32, Bytes48, Bytes96, ByteVector
from remerkleable.complex import Container, List, Vector

RANDOM = random.Random(1)
Bloom = ByteVector[256]
Bytes20 = ByteVector[20]


def container(name, **fields):
    return type(name, (Container,), {"__annotations__": fields})


HEADER = dict(
    parent_hash=Bytes32, fee_recipient=Bytes20, state_root=Bytes32, receipts_root=Bytes32, logs_bloom=Bloom,
    prev_randao=Bytes32, block_number=uint64, gas_limit=uint64, gas_used=uint64, timestamp=uint64,
    extra_data=ByteList[32], base_fee_per_gas=uint256, block_hash=Bytes32,
)
BLOB = dict(blob_gas_used=uint64, excess_blob_gas=uint64)
Transactions = List[ByteList[2**30], 2**20]
Withdrawal = container("Withdrawal", index=uint64, validator_index=uint64, address=Bytes20, amount=uint64)
Withdrawals = List[Withdrawal, 16]
FORKS = {"Bellatrix": {}, "Capella": dict(w=0), "Deneb": dict(w=0, b=0)}


def payload_types(name, parts):
    header, payload = dict(HEADER, transactions_root=Bytes32), dict(HEADER, transactions=Transactions)
    if "w" in parts:
        header["withdrawals_root"], payload["withdrawals"] = Bytes32, Withdrawals
    if "b" in parts:
        header.update(BLOB)
        payload.update(BLOB)
    return container(f"Header{name}", **header), container(f"Payload{name}", **payload)


Eth1Data = container("Eth1Data", deposit_root=Bytes32, deposit_count=uint64, block_hash=Bytes32)
Checkpoint = container("Checkpoint", epoch=uint64, root=Bytes32)
Header = container("Header", slot=uint64, proposer_index=uint64, parent_root=Bytes32, state_root=Bytes32, body_root=Bytes32)
SignedHeader = container("SignedHeader", message=Header, signature=Bytes96)
ProposerSlashing = container("ProposerSlashing", signed_header_1=SignedHeader, signed_header_2=SignedHeader)
AttestationData = container("AttestationData", slot=uint64, index=uint64, beacon_block_root=Bytes32, source=Checkpoint, target=Checkpoint)
Indexed = container("Indexed", attesting_indices=List[uint64, 2048], data=AttestationData, signature=Bytes96)
AttesterSlashing = container("AttesterSlashing", attestation_1=Indexed, attestation_2=Indexed)
Attestation = container("Attestation", aggregation_bits=Bitlist[2048], data=AttestationData, signature=Bytes96)
DepositData = container("DepositData", pubkey=Bytes48, withdrawal_credentials=Bytes32, amount=uint64, signature=Bytes96)
Deposit = container("Deposit", proof=Vector[Bytes32, 33], data=DepositData)
Exit = container("Exit", epoch=uint64, validator_index=uint64)
SignedExit = container("SignedExit", message=Exit, signature=Bytes96)
Sync = container("Sync", sync_committee_bits=Bitvector[512], sync_committee_signature=Bytes96)
Change = container("Change", validator_index=uint64, from_bls_pubkey=Bytes48, to_execution_address=Bytes20)
SignedChange = container("SignedChange", message=Change, signature=Bytes96)


def block_type(parts, payload):
    body = dict(
        randao_reveal=Bytes96, eth1_data=Eth1Data, graffiti=Bytes32,
        proposer_slashings=List[ProposerSlashing, 16], attester_slashings=List[AttesterSlashing, 2],
        attestations=List[Attestation, 128], deposits=List[Deposit, 16], voluntary_exits=List[SignedExit, 16],
        sync_aggregate=Sync, execution_payload=payload,
    )
    if "w" in parts:
        body["bls_to_execution_changes"] = List[SignedChange, 16]
    if "b" in parts:
        body["blob_kzg_commitments"] = List[Bytes48, 4096]
    return container(
        "Block", slot=uint64, proposer_index=uint64, parent_root=Bytes32, state_root=Bytes32,
        body=container("Body", **body),
    )


def some(kind):
    """A random value; lists have one or two items."""
    if issubclass(kind, (uint64, uint256)):
        return kind(RANDOM.getrandbits(8 * kind.type_byte_length()))
    if issubclass(kind, Container):
        return kind(**{name: some(of) for name, of in kind.fields().items()})
    if issubclass(kind, ByteVector):
        return kind(RANDOM.randbytes(kind.type_byte_length()))
    if issubclass(kind, ByteList):
        return kind(RANDOM.randbytes(RANDOM.randrange(33)))
    if issubclass(kind, Bitvector):
        return kind([RANDOM.random() < 0.5 for _ in range(kind.vector_length())])
    if issubclass(kind, Bitlist):
        return kind([RANDOM.random() < 0.5 for _ in range(67)])
    if issubclass(kind, Vector):
        return kind([some(kind.element_cls()) for _ in range(kind.vector_length())])
    assert issubclass(kind, List), kind
    return kind([some(kind.element_cls()) for _ in range(RANDOM.choice((1, 2)))])


def root(value):
    return "0x" + value.hash_tree_root().hex()


def blinded(header, payload):
    values = {name: getattr(payload, name) for name in payload.fields() if name in header.fields()}
    values["transactions_root"] = payload.transactions.hash_tree_root()
    if "withdrawals_root" in header.fields():
        values["withdrawals_root"] = payload.withdrawals.hash_tree_root()
    return header(**values)


def main():
    cases = []
    for fork, parts in FORKS.items():
        header_type, payload_type = payload_types(fork, parts)
        full_type, blinded_type = block_type(parts, payload_type), block_type(parts, header_type)
        for filled in (False, True):
            full = some(full_type) if filled else full_type(
                slot=7, body=full_type.fields()["body"](execution_payload=some(payload_type)))
            payload = full.body.execution_payload
            header = blinded(header_type, payload)
            rest = {n: getattr(full.body, n) for n in full.body.fields() if n != "execution_payload"}
            names = {n: getattr(full, n) for n in full.fields() if n != "body"}
            veiled = blinded_type(**names, body=blinded_type.fields()["body"](**rest, execution_payload=header))
            assert root(veiled) == root(full)
            value = RANDOM.getrandbits(90)
            bid = container("Response", payload=header_type, value=uint256)(payload=header, value=value)
            cases.append({
                "fork": fork, "slot": int(full.slot), "full": "0x" + full.encode_bytes().hex(),
                "blinded": "0x" + veiled.encode_bytes().hex(), "root": root(full),
                "blockHash": "0x" + bytes(payload.block_hash).hex(), "payloadRoot": root(payload),
                "header": "0x" + header.encode_bytes().hex(), "value": hex(value), "bidRoot": root(bid),
                "transactions": ["0x" + bytes(transaction).hex() for transaction in payload.transactions],
                "transactionsRoot": root(payload.transactions),
            })
    ForkData = container("ForkData", current_version=Bytes4, genesis_validators_root=Bytes32)
    SigningData = container("SigningData", object_root=Bytes32, domain=Bytes32)
    domains = []
    for domain_type in ("00000001", "00000000"):
        for version, genesis in ((bytes(4), bytes(32)), (RANDOM.randbytes(4), RANDOM.randbytes(32))):
            data = ForkData(current_version=version, genesis_validators_root=genesis)
            domain = bytes.fromhex(domain_type) + bytes(data.hash_tree_root())[:28]
            recipient = RANDOM.randbytes(20)
            signed = SigningData(object_root=Bytes20(recipient).hash_tree_root(), domain=domain)
            domains.append({
                "domainType": "0x" + domain_type, "forkVersion": "0x" + version.hex(),
                "genesisValidatorsRoot": "0x" + genesis.hex(), "domain": "0x" + domain.hex(),
                "feeRecipient": "0x" + recipient.hex(), "signingRoot": root(signed),
            })
    assert domains[0]["domain"] == "0x00000001f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9"
    text = json.dumps({"blocks": cases, "domains": domains}, indent=1)
    (Path(__file__).parent / "vectors.json").write_text(text + "\n")


main()
