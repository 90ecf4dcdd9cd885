// A viem client against a running node: reads, estimates, sends, waits, checks the OP fields.
// usage: node viem.mjs HTTP_URL WS_URL
import assert from 'node:assert/strict';
import { createPublicClient, createWalletClient, defineChain, http, webSocket, parseEther } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { chainConfig } from 'viem/op-stack';

const [httpUrl, wsUrl] = process.argv.slice(2);
const chain = defineChain({
  ...chainConfig,
  id: 901,
  name: 'blockwright dev',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [httpUrl], webSocket: [wsUrl] } },
});
const mnemonic = 'test test test test test test test test test test test junk';
const account = mnemonicToAccount(mnemonic, { addressIndex: 3 });
const receiver = '0x00000000000000000000000000000000000b10c5';

const reader = createPublicClient({ chain, transport: http(httpUrl), pollingInterval: 100 });
const wallet = createWalletClient({ chain, account, transport: http(httpUrl) });

assert.equal(await reader.getChainId(), 901);
const block = await new Promise((resolve, reject) => {
  const stop = reader.watchBlocks({
    emitOnBegin: true,
    onBlock: (found) => { if (found.number > 0n) { stop(); resolve(found); } },
    onError: reject,
  });
});
assert.ok(block.transactions.length >= 1, 'every block opens with a deposit');
const deposits = (await reader.getBlock({ includeTransactions: true })).transactions;
assert.equal(deposits[0].type, 'deposit');

const fees = await reader.estimateFeesPerGas();
assert.ok(fees.maxFeePerGas > 0n);
const history = await reader.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
assert.ok(history.baseFeePerGas.length >= 2);
assert.equal(await reader.estimateGas({ account, to: receiver, value: 1n }), 21000n);

const before = await reader.getBalance({ address: account.address });
const hash = await wallet.sendTransaction({ to: receiver, value: parseEther('0.5') });
const receipt = await reader.waitForTransactionReceipt({ hash });
assert.equal(receipt.status, 'success');
assert.equal(receipt.gasUsed, 21000n);
assert.ok(receipt.l1Fee > 0n, 'the receipt carries the L1 data fee');
assert.ok(receipt.l1GasPrice !== null);
assert.equal(await reader.getBalance({ address: receiver }), parseEther('0.5'));
const after = await reader.getBalance({ address: account.address });
assert.ok(before - after > parseEther('0.5') + receipt.l1Fee);
assert.equal((await reader.getTransaction({ hash })).blockHash, receipt.blockHash);

// A contract that returns 42 from any call.
const code = '0x600a600c600039600a6000f3602a60005260206000f3';
const deployed = await reader.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ data: code }) });
const address = deployed.contractAddress;
assert.equal(await reader.getCode({ address }), '0x602a60005260206000f3');
assert.equal(BigInt((await reader.call({ to: address })).data), 42n);

await assert.rejects(
  wallet.sendTransaction({ to: receiver, value: 1n, nonce: 0, gas: 21000n }),
  /nonce/i,
);

const socket = createPublicClient({ chain, transport: webSocket(wsUrl) });
const head = await new Promise((resolve, reject) => {
  const stop = socket.watchBlocks({
    onBlock: (found) => { stop(); resolve(found); },
    onError: reject,
  });
});
assert.ok(head.number > 0n);
console.log(`viem: ${hash} in block ${receipt.blockNumber}, head ${head.number}`);
process.exit(0);
