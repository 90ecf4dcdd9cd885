//! What an operator may set.

/// Rules and limits of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// EIP-155 chain id that every transaction must carry.
    pub chain_id: u64,
    /// Smallest tip cap (`maxPriorityFeePerGas`, or a legacy gas price) in wei. Default 0.
    pub min_tip_wei: u128,
    /// Whether legacy transactions without a chain id (before EIP-155) are taken. Default false.
    pub allow_unprotected: bool,
    /// Most pooled transactions, executable and parked together. Default 500,000.
    pub count_max: usize,
    /// Most bytes of pooled transactions in wire form. Default 512 MiB.
    pub size_bytes_max: u64,
    /// Most pooled transactions of one sender. Default 1,024.
    pub sender_slots_max: usize,
    /// Largest transaction in wire form, in bytes. Default 128 KiB.
    pub tx_size_bytes_max: usize,
    /// By how many per cent both fee caps of a replacement must exceed the old ones. Default 10.
    pub replacement_bump_percent: u64,
    /// Threads that decode, recover senders and insert, at a priority below the builder's. Default: the machine's cores, at most 8.
    pub intake_threads: usize,
    /// Most transactions that wait for a thread or are being worked on; more are refused with
    /// [`PoolError::IntakeFull`](crate::PoolError::IntakeFull). Default 16,384, about half a second
    /// of one core's recoveries.
    pub intake_count_max: usize,
    /// Most bytes that wait or are being worked on. Default 32 MiB.
    pub intake_size_bytes_max: usize,
    /// Hashes that a subscriber of [`Pool::subscribe_new`](crate::Pool::subscribe_new) may lag
    /// behind before it loses the oldest (and is told how many). Default 8,192.
    pub new_pending_capacity: usize,
}

impl PoolConfig {
    /// The defaults for a chain.
    pub fn new(chain_id: u64) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            chain_id,
            min_tip_wei: 0,
            allow_unprotected: false,
            count_max: 500_000,
            size_bytes_max: 512 << 20,
            sender_slots_max: 1_024,
            tx_size_bytes_max: 128 << 10,
            replacement_bump_percent: 10,
            intake_threads: cores.min(8),
            intake_count_max: 16_384,
            intake_size_bytes_max: 32 << 20,
            new_pending_capacity: 8_192,
        }
    }
}
