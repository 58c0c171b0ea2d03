//! `dokuei-center`: the reference reading center.

use clap::Parser as _;
use dokuei::cli::center::{Cli, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    dokuei::vault::tls::install_provider();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,dicom_parser=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(&Cli::parse(), &mut std::io::stdout()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}
