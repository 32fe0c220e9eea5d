//! Amounts as whole numbers of 10⁻⁸, and as the decimal strings that the exchange writes.

/// One, in units of 10⁻⁸.
pub(super) const ONE: u64 = 100_000_000;

/// Eight places, as `8300.10000000`.
pub(super) fn written(amount: u64) -> String {
    format!("{}.{:08}", amount / ONE, amount % ONE)
}

/// `to - from`, which may be below zero, as `-8.10000000`.
pub(super) fn written_change(from: u64, to: u64) -> String {
    let sign = if to < from { "-" } else { "" };
    format!("{sign}{}", written(to.abs_diff(from)))
}

/// What a quantity costs at a price; all in units of 10⁻⁸.
pub(super) fn product(price: u64, quantity: u64) -> u64 {
    let product = u128::from(price) * u128::from(quantity) / u128::from(ONE);
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// The whole number nearest to a number that is not below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` takes the nearest end of the range for what is out of it"
)]
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// A whole number as a fractional one, of 53 bits.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is drawn here needs no more than 53 bits"
)]
pub(super) fn real(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_eight_places() {
        assert_eq!(written(830_010_000_000), "8300.10000000");
        assert_eq!(written(120_000), "0.00120000");
        assert_eq!(written_change(5 * ONE, 4 * ONE + 1), "-0.99999999");
        assert_eq!(written_change(4 * ONE, 5 * ONE), "1.00000000");
    }

    #[test]
    fn a_product_does_not_overflow() {
        assert_eq!(product(60_000 * ONE, 9_000 * ONE), 540_000_000 * ONE);
        assert_eq!(product(3 * ONE / 2, ONE / 2), 3 * ONE / 4);
    }
}
