//! Naming what a header states wrongly.

use core::fmt::Display;

use alloy_consensus::Header;

/// The first field of `header` that execution (`computed`) contradicts, with both values. Gas comes
/// first: a wrong execution shows there, and in every root after it.
pub(crate) fn first_difference(header: &Header, computed: &Header) -> Option<String> {
    differs("gasUsed", &header.gas_used, &computed.gas_used)
        .or_else(|| differs_opt("blobGasUsed", header.blob_gas_used, computed.blob_gas_used))
        .or_else(|| {
            let (given, found) = (&header.transactions_root, &computed.transactions_root);
            differs("transactionsRoot", given, found)
        })
        .or_else(|| {
            differs(
                "receiptsRoot",
                &header.receipts_root,
                &computed.receipts_root,
            )
        })
        .or_else(|| {
            let differs = header.logs_bloom != computed.logs_bloom;
            differs.then(|| "logsBloom is not that of the receipts".to_owned())
        })
        .or_else(|| differs("stateRoot", &header.state_root, &computed.state_root))
        .or_else(|| {
            let (given, found) = (header.withdrawals_root, computed.withdrawals_root);
            differs_opt("withdrawalsRoot", given, found)
        })
        .or_else(|| {
            let differs = header != computed;
            differs.then(|| "the header is not the one that execution gives".to_owned())
        })
}

fn differs<T: PartialEq + Display>(name: &str, given: &T, found: &T) -> Option<String> {
    (given != found).then(|| format!("{name} is {given}, execution gives {found}"))
}

fn differs_opt<T: PartialEq + Display>(
    name: &str,
    given: Option<T>,
    found: Option<T>,
) -> Option<String> {
    let text = |value: Option<T>| value.map_or_else(|| "absent".to_owned(), |it| it.to_string());
    (given != found).then(|| {
        let (given, found) = (text(given), text(found));
        format!("{name} is {given}, execution gives {found}")
    })
}
