//! A simulated exchange in the forms of Binance, and a stand-in for Slack: what data applications
//! talk to, without the internet. Seeded: prices are a function of the seed and the time, and
//! trades come in the same order with the same ids and quantities in every run.
//!
//! # What is not modelled
//! - Orders, accounts and keys; other streams than trades (subscribing to one brings nothing).
//! - Klines are drawn from the curve of prices, not summed up from the trades.
//! - Limits of weight: the weight is counted and never too much, unless that is asked for.
//! - Of Slack, everything but posting messages and files, `auth.test` and webhooks.
//!
//! Control is at `/control`: `faults.rs` says what can be asked for, `control.rs` what can be read.

mod control;
mod decimal;
mod faults;
mod floor;
mod frames;
mod interval;
mod klines;
mod market;
mod orders;
mod pairs;
mod query;
mod random;
mod refusal;
mod requests;
mod rest;
mod server;
mod slack;
mod slack_api;
mod slack_form;
mod socket;
mod tape;
mod ticker;
mod trade;
#[cfg(test)]
mod whole;

pub use server::{Options, serve};
