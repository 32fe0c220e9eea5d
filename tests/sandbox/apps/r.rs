//! One image with R, for hosts and for containers: made once, of what the sandbox itself has made.

use crate::hosts::workshop::image_of;

const RECIPE: &str = include_str!("r.sh");

/// Its name; it is made if it is not there, which takes a minute. A sandbox with hosts is up.
pub(crate) fn image() -> String {
    image_of("r", RECIPE)
}
