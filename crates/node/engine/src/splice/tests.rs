use alloy_consensus::Header;
use alloy_primitives::{Address, U256};
use blockwright_types::{BlockPart, RecoveredTx};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};

use super::*;

/// A small deterministic generator (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const HASH: B256 = B256::repeat_byte(0xab);

fn part(encoded: &[Vec<u8>]) -> Arc<BlockPart> {
    let tx = |bytes: &Vec<u8>| {
        let envelope = OpTxEnvelope::from(TxDeposit::default());
        let encoded = Bytes::from(bytes.clone());
        Arc::new(RecoveredTx::new(envelope, encoded, Address::ZERO))
    };
    let transactions = encoded.iter().map(tx).collect();
    Arc::new(BlockPart::new(transactions, Vec::new(), Vec::new()))
}

/// A block of some parts, a few of them empty.
fn block(rng: &mut Rng) -> Arc<SealedBlock> {
    let parts = (0..rng.below(5))
        .map(|_| {
            let transactions: Vec<Vec<u8>> = (0..rng.below(4))
                .map(|_| (0..rng.below(40)).map(|_| rng.below(256) as u8).collect())
                .collect();
            part(&transactions)
        })
        .collect();
    Arc::new(SealedBlock {
        header: Header::default(),
        hash: HASH,
        parts,
        value: U256::ZERO,
    })
}

fn list(block: &SealedBlock) -> String {
    let items: Vec<String> = block
        .transactions()
        .map(|tx| format!("\"{}\"", tx.encoded))
        .collect();
    items.join(",")
}

fn request(list: &str) -> String {
    format!(
        r#"{{"id":1,"method":"engine_newPayloadV4","params":[{{"blockHash":"{HASH}","transactions":[{list}],"withdrawals":[]}},[],null,[]]}}"#
    )
}

/// `text` as it could arrive: in pieces of any size.
fn arriving(text: &str, rng: &mut Rng) -> HttpBody {
    let mut pieces = Pieces::default();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let size = (1 + rng.below(60)).min(rest.len());
        pieces.push(hyper::body::Bytes::copy_from_slice(&rest[..size]));
        rest = &rest[size..];
    }
    pieces.into_body()
}

async fn text(mut body: HttpBody) -> String {
    let mut all = Vec::new();
    while let Some(data) = next_data(&mut body).await {
        all.extend_from_slice(&data.unwrap());
    }
    String::from_utf8(all).unwrap()
}

async fn received(request: &str, block: &Arc<SealedBlock>, rng: &mut Rng) -> Received {
    let built = |hash| (hash == HASH).then(|| Arc::clone(block));
    receive(arriving(request, rng), built, "\"0xstand-in\"")
        .await
        .unwrap()
}

async fn assert_passed_on(request: &str, block: &Arc<SealedBlock>, rng: &mut Rng) {
    match received(request, block, rng).await {
        Received::Ordinary(body) => assert_eq!(text(body).await, request),
        Received::Recognised { body, .. } => panic!("{request} was taken for {body:?}"),
    }
}

#[tokio::test]
async fn exactly_our_own_transactions_are_recognised() {
    for seed in 1..300 {
        let mut rng = Rng(seed);
        let block = block(&mut rng);
        let list = list(&block);
        match received(&request(&list), &block, &mut rng).await {
            Received::Recognised { block: found, body } => {
                assert!(Arc::ptr_eq(&found, &block));
                let expected = request("\"0xstand-in\"").into_bytes();
                assert_eq!(body, expected, "seed {seed}");
            }
            Received::Ordinary(_) => panic!("seed {seed}: not recognised"),
        }
    }
}

#[tokio::test]
async fn anything_else_goes_on_as_it_came() {
    for seed in 1..300 {
        let mut rng = Rng(seed);
        let block = block(&mut rng);
        let own = list(&block);
        let whole = request(&own);
        // One character of the list changed, one left out, one added; the list cut short.
        if !own.is_empty() {
            let at = rng.below(own.len());
            let other = if own.as_bytes()[at] == b'0' { "1" } else { "0" };
            let (before, after) = (&own[..at], &own[at + 1..]);
            for changed in [
                format!("{before}{other}{after}"),
                format!("{before}{after}"),
                format!("{before}{other}{}", &own[at..]),
                before.to_owned(),
            ] {
                assert_passed_on(&request(&changed), &block, &mut rng).await;
            }
        }
        let one_more = [own.as_str(), "\"0x00\""].join(if own.is_empty() { "" } else { "," });
        assert_passed_on(&request(&one_more), &block, &mut rng).await;
        // A request that ends anywhere before the list does.
        let end = rng.below(whole.find("],\"withdrawals").unwrap());
        assert_passed_on(&whole[..=end], &block, &mut rng).await;
        // Another block, a batch, another form, no list at all.
        let stranger = whole.replace(&HASH.to_string(), &B256::ZERO.to_string());
        assert_passed_on(&stranger, &block, &mut rng).await;
        assert_passed_on(&format!("[{whole}]"), &block, &mut rng).await;
        let spaced = whole.replace("\"transactions\":[", "\"transactions\": [");
        assert_passed_on(&spaced, &block, &mut rng).await;
        let call = r#"{"id":1,"method":"engine_getPayloadV4","params":["0x0102030405060708"]}"#;
        assert_passed_on(call, &block, &mut rng).await;
        // More around the list than any payload has.
        let late = whole.replace("{\"id\":1", &format!("{{\"x\":\"{}\"", "a".repeat(20_000)));
        assert_passed_on(&late, &block, &mut rng).await;
        let long = format!("{whole}{}", " ".repeat(70_000));
        assert_passed_on(&long, &block, &mut rng).await;
    }
}

#[tokio::test]
async fn an_answer_gets_the_transactions_where_the_stand_in_was() {
    for seed in 1..100 {
        let mut rng = Rng(seed);
        let block = block(&mut rng);
        let slot = AnswerSlot {
            stand_in: Bytes::from(vec![7; 16]),
            text_bytes_max: 1 << 20,
            text: Arc::default(),
        };
        let stand_in = slot.take(&block).unwrap();
        assert!(slot.take(&block).is_none(), "one answer a request");
        let answer = |list: &str| format!(r#"{{"result":{{"transactions":[{list}],"b":1}}}}"#);
        let written = answer(&serde_json::to_string(&stand_in[0]).unwrap());
        let response = HttpResponse::new(arriving(&written, &mut rng));
        let filled = fill_in(response, slot.text.get().unwrap(), &slot.stand_in)
            .await
            .unwrap()
            .into_body();
        let expected = answer(&list(&block));
        let size = hyper::body::Body::size_hint(&filled).exact();
        assert_eq!(size, Some(expected.len() as u64));
        assert_eq!(text(filled).await, expected);
    }
}

#[test]
fn an_answer_that_would_be_too_large_is_left_to_the_rpc_layer() {
    let block = Arc::new(SealedBlock {
        header: Header::default(),
        hash: HASH,
        parts: vec![part(&[vec![1; 30], vec![2; 5]]), part(&[vec![3]])],
        value: U256::ZERO,
    });
    let bytes = list(&block).len();
    let slot = |text_bytes_max| AnswerSlot {
        stand_in: Bytes::new(),
        text_bytes_max,
        text: Arc::default(),
    };
    assert!(slot(bytes - 1).take(&block).is_none());
    assert!(slot(bytes).take(&block).is_some());
}
