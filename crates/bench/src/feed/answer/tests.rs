use bytes::Bytes;

use super::*;

fn reply(body: &str) -> Reply {
    Reply {
        status: StatusCode::OK,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn refusal(message: &str) -> Answer {
    let body =
        format!(r#"[{{"jsonrpc":"2.0","id":4,"error":{{"code":-32000,"message":"{message}"}}}}]"#);
    read(&reply(&body), &[4]).remove(0)
}

#[test]
fn hashes_are_acceptance() {
    let body =
        r#"[{"jsonrpc":"2.0","id":4,"result":"0xaa"},{"jsonrpc":"2.0","id":9,"result":"0xbb"}]"#;
    assert!(all_accepted(body.as_bytes(), 2));
    assert_eq!(
        read(&reply(body), &[4, 9]),
        [Answer::Accepted, Answer::Accepted]
    );
}

#[test]
fn answers_go_by_id_not_by_order() {
    let body =
        r#"[{"id":9,"error":{"code":-32000,"message":"nonce too low"}},{"id":4,"result":"0xaa"}]"#;
    let refused = Answer::Refused("nonce too low".to_owned());
    assert_eq!(read(&reply(body), &[4, 9]), [Answer::Accepted, refused]);
}

#[test]
fn an_answer_that_lacks_a_transaction_says_nothing_of_it() {
    let body = r#"[{"id":4,"result":"0xaa"},{"id":null,"result":"0xbb"}]"#;
    assert_eq!(
        read(&reply(body), &[4, 7, 9]),
        [Answer::Accepted, Answer::Missing, Answer::Missing]
    );
}

#[test]
fn one_error_is_for_the_whole_batch() {
    let body = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}"#;
    let refused = Answer::Refused("batch too large".to_owned());
    assert_eq!(read(&reply(body), &[1, 2]), [refused.clone(), refused]);
}

#[test]
fn errors_of_http_and_of_form_are_for_the_whole_batch() {
    let mut reply = reply("not found");
    assert!(matches!(
        &read(&reply, &[1, 2])[..],
        [Answer::Refused(_), Answer::Refused(_)]
    ));
    reply.status = StatusCode::NOT_FOUND;
    assert_eq!(
        read(&reply, &[1]),
        [Answer::Refused("HTTP 404 Not Found".to_owned())]
    );
    for status in [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ] {
        reply.status = status;
        assert!(matches!(&read(&reply, &[1])[..], [Answer::Busy(_)]));
    }
}

#[test]
fn refusals_are_told_apart_by_the_texts_of_clients() {
    for busy in [
        "transaction intake is full (8192 waiting), try again",
        "server is busy, try again",
        "Too Many Requests",
    ] {
        assert_eq!(refusal(busy), Answer::Busy(busy.to_owned()));
    }
    for full in [
        "txpool is full",
        "transaction underpriced: txpool is full and the transaction's price of 7 wei is among the lowest",
        "account limit exceeded: 0xaa has 16 pooled transactions",
    ] {
        assert_eq!(refusal(full), Answer::Full(full.to_owned()));
    }
    assert_eq!(
        refusal("nonce too high"),
        Answer::Gap("nonce too high".to_owned())
    );
    assert_eq!(refusal("already known"), Answer::Accepted);
    for refused in [
        "exceeds block gas limit: tx gas 2, block gas limit 1",
        "oversized data: transaction size 9, limit 8",
        "insufficient funds for gas * price + value",
    ] {
        assert_eq!(refusal(refused), Answer::Refused(refused.to_owned()));
    }
}
