//! Prints the development genesis of a fork: `dev_genesis [FORK [TIMESTAMP]]`.

use std::process::ExitCode;

use blockwright_chain::dev::DevGenesis;

fn print() -> Result<(), Box<dyn core::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut genesis = DevGenesis::default();
    if let Some(fork) = arguments.next() {
        genesis.fork = fork.parse()?;
    }
    if let Some(timestamp) = arguments.next() {
        genesis.timestamp = timestamp.parse()?;
    }
    println!("{}", genesis.build()?);
    Ok(())
}

fn main() -> ExitCode {
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
