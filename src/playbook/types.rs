//! Checks a spec against its JSON Schema and says at the exact place what does not fit.

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location as Path, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

use super::alternatives;
use crate::base::node::Step;
use crate::base::{Error, Location, Node, Result, Value, suggestion};

/// One section's schema, ready to check specs.
pub(super) struct Types {
    pub(super) schema: Json,
    validator: Validator,
}

/// One thing that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Misfit {
    /// Where in the spec.
    pub(super) path: Vec<Step>,
    pub(super) what: What,
}

/// In which way it does not fit.
#[derive(Clone, Debug)]
pub(super) enum What {
    UnknownKey { key: String, allowed: Vec<String> },
    MissingKey { key: String, about: Option<String> },
    Type(Vec<JsonType>),
    NotAllowed(Vec<String>),
    OneKeyOf(Vec<String>),
    OnlyOneOf { key: String, other: String },
    Other(String),
}

impl Types {
    /// Compiles a section's schema.
    ///
    /// # Errors
    /// When it is no JSON Schema: a mistake in this program.
    pub(super) fn new(name: &str, schema: Json) -> Result<Self> {
        let validator = jsonschema::validator_for(&schema)
            .map_err(|error| Error::failed(format!("the schema of `{name}` is broken: {error}")))?;
        Ok(Self { schema, validator })
    }

    /// Everything in `node` that does not fit. `at` is where the resource is declared.
    pub(super) fn check(&self, node: &Node, at: &Location) -> Vec<Error> {
        let json = node.to_json();
        if self.validator.is_valid(&json) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(&json);
        errors
            .flat_map(|error| self.misfits(node, &error))
            .map(|misfit| misfit.explain(node, at))
            .collect()
    }

    /// The misfits that one error of the validator stands for: none when it is about a value that
    /// is not known yet, or about one that will be read all the same.
    pub(super) fn misfits(&self, root: &Node, error: &ValidationError<'_>) -> Vec<Misfit> {
        let path = steps(error.instance_path());
        let node = root.follow(&path);
        if matches!(node.value, Value::AfterApply(_)) {
            return Vec::new();
        }
        let one = |what| {
            let path = path.clone();
            vec![Misfit { path, what }]
        };
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                let allowed = self.properties(error);
                let unexpected = unexpected.iter().map(|key| Misfit {
                    path: path.clone(),
                    what: What::UnknownKey {
                        key: key.clone(),
                        allowed: allowed.clone(),
                    },
                });
                unexpected.collect()
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default().to_owned();
                let about = self.about(error, &key);
                one(What::MissingKey { key, about })
            }
            Kind::Type { kind } => {
                let wanted = match kind {
                    TypeKind::Single(one) => vec![*one],
                    TypeKind::Multiple(set) => set.into_iter().collect(),
                };
                // A whole number is read as text where text is wanted.
                if wanted.contains(&JsonType::String) && matches!(node.value, Value::Int(_)) {
                    return Vec::new();
                }
                one(What::Type(wanted))
            }
            Kind::Enum { options } => one(What::NotAllowed(options_of(options))),
            Kind::Constant { expected_value } => one(What::NotAllowed(options_of(expected_value))),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                alternatives::nearest(self, root, &path, context)
            }
            Kind::OneOfMultipleValid { .. } => Vec::new(),
            Kind::UniqueItems if node.has_unknown() => Vec::new(),
            Kind::Minimum { limit } => one(What::Other(format!("must be at least {limit}"))),
            Kind::Maximum { limit } => one(What::Other(format!("must be at most {limit}"))),
            Kind::MinItems { limit } => one(What::Other(format!("at least {limit} must be given"))),
            Kind::MaxItems { limit } => one(What::Other(format!("at most {limit} may be given"))),
            Kind::MinLength { limit: 1 } => one(What::Other("must not be empty".to_owned())),
            Kind::Pattern { pattern } => {
                one(What::Other(format!("does not have the form `{pattern}`")))
            }
            Kind::UniqueItems => one(What::Other("has an item twice".to_owned())),
            _ => one(What::Other(error.masked_with("the value").to_string())),
        }
    }

    /// The keys that are allowed where `error` found one that is not.
    pub(super) fn properties(&self, error: &ValidationError<'_>) -> Vec<String> {
        let properties = self
            .around(error)
            .and_then(|schema| schema.get("properties"));
        let properties = properties.and_then(Json::as_object);
        properties
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default()
    }

    fn about(&self, error: &ValidationError<'_>, key: &str) -> Option<String> {
        let property = self.around(error)?.get("properties")?.get(key)?;
        let text = property.get("description")?.as_str()?;
        text.lines().next().map(str::to_owned)
    }

    /// The schema that holds the keyword which failed.
    fn around(&self, error: &ValidationError<'_>) -> Option<&Json> {
        let path = error.schema_path().as_str();
        self.schema.pointer(path.rsplit_once('/')?.0)
    }
}

fn steps(path: &Path) -> Vec<Step> {
    path.iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => Step::Key(key.into_owned()),
            LocationSegment::Index(index) => Step::Index(index),
        })
        .collect()
}

fn options_of(options: &Json) -> Vec<String> {
    let one = std::slice::from_ref(options);
    let list = options.as_array().map_or(one, Vec::as_slice);
    let texts = list.iter().filter(|option| !option.is_null());
    texts
        .map(|option| {
            option
                .as_str()
                .map_or_else(|| option.to_string(), str::to_owned)
        })
        .collect()
}

impl Misfit {
    fn explain(self, root: &Node, at: &Location) -> Error {
        let node = root.follow(&self.path);
        let holder = match self.path.split_last() {
            None => at.clone(),
            Some((Step::Key(key), above)) => root
                .follow(above)
                .as_map()
                .and_then(|map| map.get(key))
                .map_or_else(|| node.at.clone(), |entry| entry.key_at.clone()),
            Some((Step::Index(_), _)) => node.at.clone(),
        };
        let key_at = |key: &str| {
            let entry = node.as_map().and_then(|map| map.get(key));
            entry.map_or_else(|| node.at.clone(), |entry| entry.key_at.clone())
        };
        match self.what {
            What::UnknownKey { key, allowed } => {
                let allowed: Vec<_> = allowed.iter().map(String::as_str).collect();
                Error::playbook(format!("unknown key `{key}`"), &key_at(&key))
                    .hint(suggestion::hint(&key, &allowed))
            }
            What::MissingKey { key, about } => {
                let error = Error::playbook(format!("missing key `{key}`"), &holder);
                match about {
                    Some(about) => error.note(format!("{key}: {about}")),
                    None => error,
                }
            }
            What::Type(wanted) => wrong_type(node, &holder, &wanted),
            What::NotAllowed(options) => {
                let options: Vec<_> = options.iter().map(String::as_str).collect();
                let typed = shown(node);
                let error =
                    Error::playbook(format!("{typed} is not allowed here"), place(node, &holder));
                error.hint(suggestion::hint(
                    node.as_text().unwrap_or_default(),
                    &options,
                ))
            }
            What::OneKeyOf(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                Error::playbook("one key must be given here", &holder)
                    .hint(format!("allowed here: {}", keys.join(", ")))
            }
            What::OnlyOneOf { key, other } => Error::playbook(
                format!("`{key}` cannot be given beside `{other}`"),
                &key_at(&key),
            )
            .hint("keep one of the two"),
            What::Other(what) => {
                Error::playbook(format!("{} {what}", shown(node)), place(node, &holder))
            }
        }
    }
}

/// An empty value has no place of its own worth showing.
fn place<'a>(node: &'a Node, holder: &'a Location) -> &'a Location {
    match node.value {
        Value::Null | Value::Map(_) | Value::List(_) => holder,
        _ => &node.at,
    }
}

fn shown(node: &Node) -> String {
    match &node.value {
        _ if node.secret => "a secret".to_owned(),
        Value::Text(text) if text.chars().count() <= 60 && !text.contains('\n') => {
            format!("`{text}`")
        }
        Value::Int(number) => format!("`{number}`"),
        Value::Float(number) => format!("`{number}`"),
        Value::Bool(truth) => format!("`{truth}`"),
        _ => node.type_name().to_owned(),
    }
}

fn wrong_type(node: &Node, holder: &Location, wanted: &[JsonType]) -> Error {
    let mut words: Vec<_> = wanted
        .iter()
        .filter_map(|wanted| match wanted {
            JsonType::Null => None,
            JsonType::String => Some("text"),
            JsonType::Integer => Some("a whole number"),
            JsonType::Number => Some("a number"),
            JsonType::Boolean => Some("`true` or `false`"),
            JsonType::Array => Some("a list"),
            JsonType::Object => Some("a mapping"),
        })
        .collect();
    words.dedup();
    let shown = shown(node);
    let found = match node.type_name() {
        name if name == shown => shown,
        "true/false" => shown,
        name => format!("{name} {shown}"),
    };
    let expected = words.join(" or ");
    let error = Error::playbook(
        format!("expected {expected}, found {found}"),
        place(node, holder),
    );
    let loses = matches!(node.value, Value::Float(_) | Value::Bool(_));
    if words.contains(&"text") && loses && !node.secret {
        error.hint("put it in quotes")
    } else {
        error
    }
}
