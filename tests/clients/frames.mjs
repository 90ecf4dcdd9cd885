// The flashblock stream as a client on viem/op-stack reads it: every transaction is parsed, and its
// hash is a key of the receipts in the same frame.
// usage: node frames.mjs HTTP_URL FLASHBLOCKS_URL
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { createWalletClient, defineChain, http, keccak256 } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { chainConfig, parseTransaction, serializeTransaction } from 'viem/op-stack';

const [httpUrl, streamUrl] = process.argv.slice(2);
const chain = defineChain({
  ...chainConfig,
  id: 901,
  name: 'blockwright dev',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [httpUrl] } },
});
const mnemonic = 'test test test test test test test test test test test junk';
const receiver = '0x00000000000000000000000000000000000b10c6';
const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n };
const price = { gasPrice: 10n ** 10n };

function wallet(addressIndex) {
  const account = mnemonicToAccount(mnemonic, { addressIndex });
  return createWalletClient({ chain, account, transport: http(httpUrl) });
}

const deadline = setTimeout(() => {
  console.error('not all transactions were seen in 60 s');
  process.exit(1);
}, 60_000);
const stream = new WebSocket(streamUrl);
const waiting = new Map(); // hash -> type and status that are expected
const early = new Map(); // what was streamed before its hash was noted here
const seen = {};
let finish;
const finished = new Promise((resolve) => { finish = resolve; });
let failed = (error) => { console.error(error); process.exit(1); };

function settle(hash, streamed) {
  const wanted = waiting.get(hash);
  if (!wanted) {
    early.set(hash, streamed);
    return;
  }
  assert.deepEqual(streamed, wanted, hash);
  waiting.delete(hash);
}

function read(text) {
  const frame = JSON.parse(text);
  const hashes = frame.diff.transactions.map((raw) => {
    const parsed = parseTransaction(raw);
    const hash = keccak256(raw);
    const receipt = frame.metadata.receipts[hash];
    assert.ok(receipt, `no receipt for ${hash} in flashblock ${frame.index}`);
    if (parsed.type === 'deposit') {
      // It has no signature, so that nothing but its fields makes it.
      assert.equal(serializeTransaction(parsed), raw);
      assert.equal(receipt.type, '0x7e');
      assert.ok(receipt.depositNonce);
    } else {
      settle(hash, { type: parsed.type, status: receipt.status });
    }
    seen[parsed.type] = (seen[parsed.type] ?? 0) + 1;
    return hash;
  });
  assert.deepEqual(Object.keys(frame.metadata.receipts).sort(), hashes.sort());
  if (sentAll && waiting.size === 0 && frame.index === 0) finish();
}

let sentAll = false;
stream.on('message', (data, isBinary) => {
  try {
    assert.equal(isBinary, false);
    read(data.toString());
  } catch (error) {
    failed(error);
  }
});
stream.on('error', failed);
stream.on('close', (code, reason) => failed(new Error(`closed: ${code} ${reason}`)));
await new Promise((resolve) => { stream.on('open', resolve); });

const delegating = wallet(3);
const authority = mnemonicToAccount(mnemonic, { addressIndex: 9 });
const authorization = await authority.signAuthorization({ chainId: 901, address: receiver, nonce: 0 });
const accessList = [{ address: receiver, storageKeys: [`0x${'00'.repeat(32)}`] }];
for (const [from, type, status, request] of [
  [0, 'legacy', '0x1', { type: 'legacy', to: receiver, value: 1n, gas: 21_000n, ...price }],
  [1, 'eip2930', '0x1', { type: 'eip2930', to: receiver, gas: 50_000n, accessList, ...price }],
  [2, 'eip1559', '0x1', { type: 'eip1559', to: receiver, value: 1n, gas: 21_000n, ...fees }],
  [3, 'eip7702', '0x1', { type: 'eip7702', to: authority.address, gas: 100_000n, authorizationList: [authorization], ...fees }],
  [4, 'eip1559', '0x1', { data: '0x602a5f5fa160015ff3', gas: 200_000n, ...fees }], // a contract, with a log
  [5, 'eip1559', '0x0', { data: '0x5f5ffd', gas: 200_000n, ...fees }], // reverts
]) {
  const client = from === 3 ? delegating : wallet(from);
  const hash = await client.sendTransaction({ ...request, nonce: 0 });
  waiting.set(hash, { type, status });
  if (early.has(hash)) settle(hash, early.get(hash));
}
sentAll = true;
await finished;
failed = () => {};
stream.terminate();
clearTimeout(deadline);
assert.ok(seen.deposit >= 2);
console.log(`frames: ${Object.entries(seen).sort().map(([type, count]) => `${type} ${count}`).join(', ')}`);
process.exit(0);
