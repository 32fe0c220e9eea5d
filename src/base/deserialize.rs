//! From a [`Node`] to a typed spec by serde, with the place of whatever does not fit.

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{Error, ErrorKind, Location, Node, Value, suggestion};

/// Reads `T` out of a node.
///
/// # Errors
/// A playbook error at the part that does not fit: a wrong type, a missing or unknown key, or what
/// a field's own type says of its text.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Error> {
    T::deserialize(node).map_err(|misfit| misfit.into_error(&node.at))
}

/// What serde reports, with the place where it was noticed.
#[derive(Debug)]
pub struct Misfit {
    message: String,
    at: Option<Location>,
    hint: Option<String>,
}

impl Misfit {
    fn placed(mut self, at: &Location) -> Self {
        self.at.get_or_insert_with(|| at.clone());
        self
    }

    fn into_error(self, at: &Location) -> Error {
        let error =
            Error::new(ErrorKind::Playbook, self.message).at(self.at.as_ref().unwrap_or(at));
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            at: None,
            hint: None,
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            message: format!("unknown key `{field}`"),
            at: None,
            hint: Some(suggestion::hint(field, expected)),
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self {
            message: format!("`{variant}` is not allowed here"),
            at: None,
            hint: Some(suggestion::hint(variant, expected)),
        }
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(list) => visitor.visit_seq(SeqDeserializer::new(list.iter())),
            Value::Map(map) => visitor.visit_map(Entries {
                entries: map.iter(),
                current: None,
            }),
            Value::AfterApply(expression) => Err(de::Error::custom(format!(
                "`{expression}` is known only after apply"
            ))),
        }
        .map_err(|misfit: Misfit| misfit.placed(&self.at))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|misfit| misfit.placed(&self.at))
    }

    /// Accepts `variant` for a unit variant, and `{ variant: value }` for one with content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Text(text) => visitor.visit_enum(StrDeserializer::<Misfit>::new(text)),
            Value::Map(map) if map.len() == 1 => {
                let entries = map.iter().map(|(key, entry)| (key.as_str(), &entry.node));
                visitor.visit_enum(de::value::MapAccessDeserializer::new(MapDeserializer::new(
                    entries,
                )))
            }
            Value::Map(_) => Err(de::Error::custom("expected a mapping with exactly one key")),
            _ => Err(de::Error::custom(format!(
                "expected a name, found {}",
                self.type_name()
            ))),
        }
        .map_err(|misfit: Misfit| misfit.placed(&self.at))
    }

    /// A number or a truth value where text is wanted is taken as text.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Int(value) => visitor.visit_string(value.to_string()),
            Value::Float(value) => visitor.visit_string(value.to_string()),
            _ => self.deserialize_any(visitor),
        }
        .map_err(|misfit: Misfit| misfit.placed(&self.at))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Entries<'de> {
    entries: indexmap::map::Iter<'de, String, super::node::Entry>,
    current: Option<(&'de String, &'de super::node::Entry)>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.current = self.entries.next();
        match self.current {
            None => Ok(None),
            Some((key, entry)) => seed
                .deserialize(StrDeserializer::<Misfit>::new(key))
                .map(Some)
                .map_err(|misfit| misfit.placed(&entry.key_at)),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (_, entry) = self
            .current
            .take()
            .ok_or_else(|| de::Error::custom("value before key"))?;
        seed.deserialize(&entry.node)
            .map_err(|misfit: Misfit| misfit.placed(&entry.node.at))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::base::Source;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Spec {
        size_gib: u32,
    }

    #[test]
    fn a_misfit_points_at_its_own_place() {
        let source = Source::new("a.yml", "");
        let at = |line| Location::new(&source, line, 1);
        let entry = |line, value| crate::base::node::Entry {
            key_at: at(line),
            node: Node::new(&at(line + 10), value),
        };
        let map = |key: &str, value| {
            let entries = [(key.to_owned(), entry(3, value))];
            Node::new(&at(1), Value::Map(entries.into_iter().collect()))
        };
        let wrong = from_node::<Spec>(&map("size_gib", Value::Text("x".to_owned()))).unwrap_err();
        assert_eq!(wrong.location().map(|at| at.line), Some(13));
        let unknown = from_node::<Spec>(&map("size_gb", Value::Int(1))).unwrap_err();
        assert_eq!(unknown.location().map(|at| at.line), Some(3));
        assert_eq!(unknown.hints(), ["did you mean `size_gib`?"]);
    }
}
