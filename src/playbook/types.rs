//! Checks a spec against its JSON Schema and says at the exact place what does not fit.

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location as Path, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

use super::alternatives;
use super::fields::{self, Words};
use crate::base::node::Step;
use crate::base::{Error, Location, Node, Result, Value, suggestion};

/// One section's schema, ready to check specs.
pub(super) struct Types {
    pub(super) schema: Json,
    /// The patterns of fields that take words beside names of resources.
    pub(super) words: Words,
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
    UnknownKey {
        key: String,
        allowed: Vec<String>,
    },
    MissingKey {
        key: String,
        about: Option<String>,
    },
    Type(Vec<JsonType>),
    NotAllowed(Vec<String>),
    OneKeyOf(Vec<String>),
    OnlyOneOf {
        key: String,
        other: String,
    },
    Form {
        pattern: String,
        about: Option<String>,
    },
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
        let words = fields::words(&schema)
            .map_err(|error| Error::failed(format!("the schema of `{name}` is broken: {error}")))?;
        Ok(Self {
            schema,
            words,
            validator,
        })
    }

    /// Everything in `node` that does not fit. `at` is where the resource is declared.
    pub(super) fn check(&self, node: &Node, at: &Location) -> Vec<Error> {
        let json = node.to_json();
        if self.validator.is_valid(&json) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(&json);
        let misfits: Vec<_> = errors
            .flat_map(|error| self.misfits(node, &error))
            .collect();
        let mistyped = mistyped(&misfits);
        let is_type = |misfit: &&Misfit| matches!(misfit.what, What::Type(_));
        let wrong_type: Vec<_> = misfits
            .iter()
            .filter(is_type)
            .map(|one| &one.path)
            .collect();
        misfits
            .iter()
            .filter(|misfit| match &misfit.what {
                What::MissingKey { key, .. } => !mistyped.contains(&(&misfit.path, key.as_str())),
                What::NotAllowed(_) => !wrong_type.contains(&&misfit.path),
                _ => true,
            })
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
            Kind::Pattern { pattern } => one(What::Form {
                pattern: pattern.clone(),
                about: self.described(error),
            }),
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
        description(self.around(error)?.get("properties")?.get(key)?)
    }

    /// What the nearest description says of the field in which `error` was found.
    fn described(&self, error: &ValidationError<'_>) -> Option<String> {
        let mut path = error.schema_path().as_str();
        while let Some((above, _)) = path.rsplit_once('/') {
            let found = self.schema.pointer(above).and_then(description);
            let field = above.rsplit_once('/');
            if found.is_some() || field.is_some_and(|(holder, _)| holder.ends_with("/properties")) {
                return found;
            }
            path = above;
        }
        None
    }

    /// The schema that holds the keyword which failed.
    fn around(&self, error: &ValidationError<'_>) -> Option<&Json> {
        let path = error.schema_path().as_str();
        self.schema.pointer(path.rsplit_once('/')?.0)
    }
}

/// Keys that are there under a mistyped name: they are not missing.
fn mistyped(misfits: &[Misfit]) -> Vec<(&Vec<Step>, &str)> {
    let unknown = misfits.iter().filter_map(|misfit| match &misfit.what {
        What::UnknownKey { key, allowed } => {
            let near = suggestion::nearest(key, allowed.iter().map(String::as_str));
            near.map(|near| (&misfit.path, near))
        }
        _ => None,
    });
    unknown.collect()
}

fn steps(path: &Path) -> Vec<Step> {
    path.iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => Step::Key(key.into_owned()),
            LocationSegment::Index(index) => Step::Index(index),
        })
        .collect()
}

/// The first paragraph of a schema's description.
fn description(schema: &Json) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    Some(text.trim_end_matches('.').to_owned())
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
