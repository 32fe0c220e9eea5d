//! Client tokens: a repeated request for the same thing makes it once.

use sha2::{Digest, Sha256};

use crate::base::hex;

/// The client token of one generation of a resource: the same for the same account, stack,
/// address and generation. 64 ASCII characters, EC2's maximum.
#[must_use]
pub fn client_token(account: &str, stack: &str, address: &str, generation: usize) -> String {
    let text = format!("tidewalk\n{account}\n{stack}\n{address}\n{generation}");
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_by_generation_and_fit() {
        let token = |generation| client_token("1", "s", "instances.a", generation);
        assert_eq!(token(0), token(0));
        assert_ne!(token(0), token(1));
        assert_eq!(token(0).len(), 64);
    }
}
