use parking_lot::Mutex;

use super::*;

#[tokio::test]
async fn limits_are_set_at_once_and_a_gas_limit_never() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let setting = Arc::clone(&told);
    let methods = miner_methods(Arc::new(move |tx, block| setting.lock().push((tx, block))));
    let methods = methods.unwrap();
    for (tx, block) in [("0x64", "0x3e8"), ("0x0", "0x0")] {
        let answer: bool = methods
            .call("miner_setMaxDASize", (tx, block))
            .await
            .unwrap();
        assert!(answer);
    }
    assert_eq!(*told.lock(), [(100, 1_000), (0, 0)]);
    let answer: bool = methods.call("miner_setGasLimit", ["0x1"]).await.unwrap();
    assert!(!answer);
    let refused = methods.call::<_, bool>("miner_setMaxDASize", ["x"]).await;
    assert!(refused.is_err());
}
