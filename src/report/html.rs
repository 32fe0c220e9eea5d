//! A receipt as one self-contained page.

use super::receipt::{closing, when};
use crate::base::{Result, ResultExt};
use crate::engine::Receipt;

const TEMPLATE: &str = include_str!("../../templates/receipt.html.j2");

/// The page; everything in it is escaped.
///
/// # Errors
/// When the template does not render, which its test rules out.
pub fn receipt(receipt: &Receipt) -> Result<String> {
    let (word, sentence) = closing(receipt);
    let mut document = receipt.to_json();
    document["when"] = when(receipt).into();
    document["word"] = word.into();
    document["sentence"] = sentence.into();
    let mut templates = minijinja::Environment::new();
    templates
        .add_template("receipt.html", TEMPLATE)
        .context("the receipt's template")?;
    templates
        .get_template("receipt.html")
        .and_then(|template| template.render(minijinja::value::Serde(&document)))
        .context("the receipt's template")
}
