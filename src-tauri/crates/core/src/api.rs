//! Everything a shell may ask of Mailroom. The window and the command line call these functions and
//! nothing else; [`view`] holds what they get back and [`error`] how a failure reaches them.

pub mod error;
pub mod view;
