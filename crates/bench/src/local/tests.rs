use super::*;

const TIMING: Timing = Timing {
    block_time_s: 2,
    interval_ms: 200,
    seal_margin_ms: 50,
};

fn start(template: &str) -> Result<LocalBuilder, BenchError> {
    let genesis = Path::new("genesis.json");
    LocalBuilder::command(Scratch::new()?, template, genesis, &TIMING)
}

#[test]
fn a_command_that_ends_is_an_error_with_its_log() {
    // `ls` prints what it was given and cannot find.
    let error = start("ls {genesis}-{block_time_ms}-{interval_ms}").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("genesis.json-2000-200"), "{text}");
}

#[test]
fn a_command_that_cannot_be_started_is_named() {
    let error = start("no-such-builder --chain {genesis}").unwrap_err();
    assert!(error.to_string().contains("no-such-builder"), "{error}");
    let error = start("  ").unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
}

#[test]
fn a_folder_goes_with_its_owner() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path.clone();
    std::fs::write(path.join("file"), "x").unwrap();
    drop(scratch);
    assert!(!path.exists());
}

#[test]
fn placeholders_may_stand_within_a_word() {
    let values = [("{a}", "1".to_owned()), ("{b}", "2".to_owned())];
    assert_eq!(fill("--x={a}:{b}{a}", &values), "--x=1:21");
}
