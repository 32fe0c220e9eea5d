//! A collection that clones share until one of them changes it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A collection of which a clone costs nothing: the tree of a playbook is cloned in part for each host
/// and operation, and seldom changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shared<T>(Arc<T>);

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Changing it makes a copy of it first, if others have it, too.
impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(collection: T) -> Self {
        Self(Arc::new(collection))
    }
}

impl<T: FromIterator<A>, A> FromIterator<A> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = A>>(items: I) -> Self {
        T::from_iter(items).into()
    }
}

impl<T: IntoIterator + Clone> IntoIterator for Shared<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

#[expect(
    clippy::into_iter_without_iter,
    reason = "what is in it has an `iter` of its own"
)]
impl<'a, T> IntoIterator for &'a Shared<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&*self.0).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_shared_until_it_is_changed() {
        let first: Shared<Vec<_>> = [1, 2].into_iter().collect();
        let mut second = first.clone();
        assert!(std::ptr::eq(&raw const *first, &raw const *second));
        second.push(3);
        assert_eq!((first.len(), second.into_iter().sum::<i32>()), (2, 6));
    }
}
