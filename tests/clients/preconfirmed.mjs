// Preconfirmed state as ethers and viem read it: pending block, transaction, receipt, logs, state.
// usage: node preconfirmed.mjs HTTP_URL standard|spec
import assert from 'node:assert/strict';
import { JsonRpcProvider } from 'ethers';
import { createPublicClient, createWalletClient, defineChain, http } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { chainConfig } from 'viem/op-stack';

const [httpUrl, placeholders] = process.argv.slice(2);
const chain = defineChain({
  ...chainConfig,
  id: 901,
  name: 'blockwright dev',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [httpUrl] } },
});
const mnemonic = 'test test test test test test test test test test test junk';
const account = mnemonicToAccount(mnemonic, { addressIndex: 5 });
const viem = createPublicClient({ chain, transport: http(httpUrl), pollingInterval: 20, cacheTime: 0 });
const wallet = createWalletClient({ chain, account, transport: http(httpUrl) });
const ethers = new JsonRpcProvider(httpUrl, 901, { staticNetwork: true, cacheTimeout: -1 });
const zero = `0x${'00'.repeat(32)}`;

// Early in a block, so that all of this happens before it is sealed.
const start = await viem.getBlockNumber();
while (await viem.getBlockNumber() === start) await new Promise((wake) => { setTimeout(wake, 20); });
const head = await viem.getBlockNumber();

// A contract that logs as it is created, and returns 42 from any call.
const data = '0x60075f5fa1600a600f5f39600a5ff3602a60005260206000f3';
const hash = await wallet.sendTransaction({ data, gas: 200_000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n });
// Both libraries' waiting looks again only when there is a new block.
let receipt;
while (!(receipt = await viem.getTransactionReceipt({ hash }).catch(() => null))) {
  await new Promise((wake) => { setTimeout(wake, 20); });
}
assert.equal(receipt.status, 'success');
assert.equal(receipt.blockHash, zero);
assert.equal(receipt.blockNumber, head + 1n);
assert.equal(receipt.logs.length, 1);
const address = receipt.contractAddress;

const block = await viem.getBlock({ blockTag: 'pending', includeTransactions: true });
assert.equal(block.number, head + 1n);
assert.equal(block.hash, placeholders === 'spec' ? zero : null);
if (placeholders === 'spec') assert.ok(BigInt(block.nonce) > 0n); else assert.equal(block.nonce, null);
const found = block.transactions.find((tx) => tx.hash === hash);
assert.equal(found.blockNumber, head + 1n);
const tx = await viem.getTransaction({ hash });
assert.equal(tx.blockHash, found.blockHash);
assert.equal(tx.blockHash === null, placeholders !== 'spec');
assert.equal(await viem.getTransactionCount({ address: account.address, blockTag: 'pending' }), 1);
assert.equal(BigInt((await viem.call({ to: address, blockTag: 'pending' })).data), 42n);
assert.equal((await viem.getLogs({ address, fromBlock: 'pending', toBlock: 'pending' })).length, 1);

const of = await ethers.getTransactionReceipt(hash);
assert.equal(of.blockHash, zero);
assert.equal(of.logs[0].topics[0], `0x${'00'.repeat(31)}07`);
const pending = await ethers.getBlock('pending', true);
assert.equal(pending.number, Number(head + 1n));
assert.equal(pending.hash, placeholders === 'spec' ? zero : null);
assert.ok(pending.prefetchedTransactions.some((one) => one.hash === hash));
assert.equal((await ethers.getTransaction(hash)).blockNumber, Number(head + 1n));
assert.equal(await ethers.getTransactionCount(account.address, 'pending'), 1);
assert.notEqual(await ethers.getCode(address, 'pending'), '0x');
assert.equal(BigInt(await ethers.call({ to: address, blockTag: 'pending' })), 42n);
const logs = await ethers.getLogs({ address, fromBlock: 'pending', toBlock: 'pending' });
assert.equal(logs[0].blockHash, zero);

// The same in one call.
const sent = await wallet.sendTransactionSync({ to: address, gas: 100_000n, timeout: 2000, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n });
assert.equal(sent.status, 'success');
assert.equal(sent.blockHash, zero);
assert.equal(sent.blockNumber, head + 1n);

assert.equal(await viem.getBlockNumber(), head, 'the block was sealed too soon for this test');
console.log(`preconfirmed: ${hash} in block ${receipt.blockNumber}`);
process.exit(0);
