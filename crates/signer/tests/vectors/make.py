"""Makes the vectors beside it with other people's code: eth-keyfile (keystores of both versions),
py_ecc (BLS) and eth-account (EIP-191). Proves the published examples with it, too.

    pip install eth-keyfile==0.10.0 eth-account==0.14.0 py_ecc==8.0.0
    python make.py

Salts are random: a new run makes other bytes of the same meaning.
"""

import json
import unicodedata
from pathlib import Path

import eth_keyfile
from eth_account import Account
from eth_account.messages import encode_defunct
from py_ecc.bls import G2ProofOfPossession as bls

HERE = Path(__file__).parent
# The caller normalises for eth-keyfile.
EIP_2335_PASSWORD = unicodedata.normalize("NFKD", "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑").encode()
PUBLISHED = {
    # The examples of the Web3 secret storage definition.
    "web3-published-pbkdf2.json": (b"testpassword", "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"),
    "web3-published-scrypt.json": (b"testpassword", "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"),
    # The examples of EIP-2335.
    "eip2335-published-pbkdf2.json": (EIP_2335_PASSWORD, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
    "eip2335-published-scrypt.json": (EIP_2335_PASSWORD, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
}
SECP256K1_KEY = "4646464646464646464646464646464646464646464646464646464646464646"
BLS_KEY = "25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866"
PASSWORD = "correct horse"


def main():
    for name, (password, secret) in PUBLISHED.items():
        opened = eth_keyfile.decode_keyfile_json(json.loads((HERE / name).read_text()), password)
        assert opened.hex() == secret, name
    for version, key in ((3, SECP256K1_KEY), (4, BLS_KEY)):
        for kdf, iterations in (("scrypt", 4096), ("pbkdf2", 4096)):
            made = eth_keyfile.create_keyfile_json(
                bytes.fromhex(key), PASSWORD.encode(), version=version, kdf=kdf, iterations=iterations
            )
            write(f"v{version}-{kdf}.json", made)
    secrets = [1, 2, int(BLS_KEY, 16), 52435875175126190479447740508185965837690552500527637822603658699938581184512]
    roots = [bytes(32), bytes([0xAB]) * 32]
    write("bls.json", [
        {
            "secret": f"{secret:064x}",
            "publicKey": "0x" + bls.SkToPk(secret).hex(),
            "root": "0x" + root.hex(),
            "signature": "0x" + bls.Sign(secret, root).hex(),
        }
        for secret in secrets
        for root in roots
    ])
    write("eip191.json", [
        {
            "message": message,
            "address": Account.from_key(SECP256K1_KEY).address,
            "signature": "0x" + Account.sign_message(encode_defunct(text=message), SECP256K1_KEY).signature.hex().removeprefix("0x"),
        }
        for message in ("", "hello", "Größe 🔑")
    ])


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1) + "\n")


main()
