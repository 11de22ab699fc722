//! stub
use crate::Failure;
use crate::args::Common;
pub(crate) async fn run(_common: &Common) -> Result<(), Failure> { Err(Failure::Other("x".into())) }
