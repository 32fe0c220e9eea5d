//! From the entries of the sections to declarations: common keys, `for_each`, types, references.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::convert;
use super::declaration::{Declaration, Each, How, Reference};
use super::document::Document;
use super::each;
use super::expression::{Expressions, Findings};
use super::load::MOST_ERRORS;
use super::names::{Names, is_name, keyed};
use super::references;
use super::scope::{Given, Scope};
use super::settings;
use super::setups::{self, Setup};
use super::types::Types;
use crate::base::node::Entry;
use crate::base::{Address, Error, Errors, Location, Node, Shared, Value, World};

/// One entry of a section, with the keys that every resource may have taken out.
pub(super) struct Draft {
    kind: String,
    name: String,
    at: Location,
    body: Node,
    items: Option<Vec<Each>>,
    /// Questions about the account whose answers tell the items.
    asks: Vec<Address>,
    setups: Vec<Setup>,
    common: BTreeMap<&'static str, Entry>,
}

const COMMON: [&str; 6] = [
    "for_each",
    "serial",
    "depends_on",
    "protect",
    "keep",
    "tags",
];

/// Reads all entries, and tells `scope` their names.
pub(super) fn drafts(
    document: &Document,
    expressions: &Expressions,
    scope: &mut Scope,
    types: &BTreeMap<String, Types>,
    known: &World,
    errors: &mut Errors,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut names = Names::clone(&scope.names);
    let plain = Arc::new(scope.clone());
    let mut sections: Vec<_> = document.sections.iter().enumerate().collect();
    // What others may be made for comes first.
    sections.sort_by_key(|(_, (kind, _))| !names.questions.contains(kind.as_str()));
    for (place, (kind, section)) in sections {
        let takes_setups = types
            .get(kind)
            .is_some_and(|it| setups::are_taken(&it.schema));
        let asking = Arc::new(asking(&plain, &names, known));
        for (name, entry) in section {
            let scopes = [&plain, &asking];
            let Some(mut draft) = draft(kind, name, entry, expressions, scopes, errors) else {
                continue;
            };
            if takes_setups {
                draft.take_setups(expressions, errors);
            }
            let keys = draft.items.as_ref();
            let mut keys = keys.map(|items| items.iter().map(|item| item.key.clone()).collect());
            if !draft.asks.is_empty() {
                names.pending.insert((kind.clone(), name.clone()));
                keys = Some(IndexSet::new());
            }
            if let Some(section) = names.sections.get_mut(kind) {
                section.insert(name.clone(), keys);
            }
            drafts.push((place, draft));
        }
    }
    scope.names = Arc::new(names);
    drafts.sort_by_key(|(place, _)| *place);
    drafts.into_iter().map(|(_, draft)| draft).collect()
}

/// What `for_each` may read beside variables: the answers to questions about the account.
fn asking(plain: &Scope, names: &Names, known: &World) -> Scope {
    let mut names = Names::clone(names);
    let Names {
        sections,
        questions,
        ..
    } = &mut names;
    sections.retain(|kind, _| questions.contains(kind.as_str()));
    Scope {
        outputs: true,
        names: Arc::new(names),
        known: Arc::new(known.0.clone()),
        ..Scope::clone(plain)
    }
}

impl Draft {
    /// Questions about the account that must be answered before it is known what this stands for.
    pub(super) fn asks(&self) -> impl Iterator<Item = Address> {
        self.asks.iter().cloned()
    }

    fn take_setups(&mut self, expressions: &Expressions, errors: &mut Errors) {
        if let Value::Map(map) = &mut self.body.value
            && let Some(entry) = map.shift_remove("setups")
        {
            self.setups = setups::read(&entry.node, &expressions.files, errors);
        }
    }
}

fn draft(
    kind: &str,
    name: &str,
    entry: &Entry,
    expressions: &Expressions,
    [plain, asking]: [&Arc<Scope>; 2],
    errors: &mut Errors,
) -> Option<Draft> {
    if !is_name(name) {
        errors.push(
            Error::playbook(format!("`{name}` cannot name a resource"), &entry.key_at)
                .hint("use letters, digits, `_`, `-` and `.`, and start with a letter or digit"),
        );
        return None;
    }
    let mut map = match &entry.node.value {
        Value::Map(map) => map.clone(),
        Value::Null => Shared::default(),
        _ => {
            let message = format!(
                "`{kind}.{name}` is a mapping, this is {}",
                entry.node.type_name()
            );
            let hint = format!("write the fields of `{name}` below it, indented");
            errors.push(Error::playbook(message, &entry.node.at).hint(hint));
            return None;
        }
    };
    let mut common = BTreeMap::new();
    for key in COMMON {
        if let Some(entry) = map.shift_remove(key) {
            common.insert(key, entry);
        }
    }
    let (mut items, mut asks) = (None, Vec::new());
    if let Some(entry) = common.get("for_each") {
        let text = entry.node.as_text().unwrap_or_default();
        let mut questions = asking.names.questions.iter();
        let scope = if questions.any(|section| text.contains(section)) {
            asking
        } else {
            plain
        };
        let mut findings = Findings::default();
        let answer = expressions.evaluate(&entry.node, scope, &mut findings);
        if findings.errors.0.is_empty() && answer.has_unknown() {
            asks.extend(findings.references.into_iter().map(|it| it.target));
        }
        if asks.is_empty() {
            items = each::expand(&entry.node, expressions, scope, errors);
        }
    }
    Some(Draft {
        kind: kind.to_owned(),
        name: name.to_owned(),
        at: entry.key_at.clone(),
        body: Node::new(&entry.node.at, Value::Map(map)),
        items,
        asks,
        setups: Vec::new(),
        common,
    })
}

/// Makes the declarations; `scope` has all names, and allows outputs.
pub(super) fn finish(
    drafts: Vec<Draft>,
    expressions: &Expressions,
    scope: &Scope,
    types: &BTreeMap<String, Types>,
    errors: &mut Errors,
) -> IndexMap<Address, Declaration> {
    let mut declarations = IndexMap::new();
    for draft in drafts {
        let Some(types) = types.get(&draft.kind) else {
            continue;
        };
        // A failed `for_each` still has its body looked at once, in words that need no item.
        let failed = draft.items.is_none() && draft.common.contains_key("for_each");
        let items: Vec<Option<Each>> = match &draft.items {
            Some(items) => items.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        for item in items {
            if errors.0.len() >= MOST_ERRORS {
                return declarations;
            }
            let mut scope = scope.clone();
            scope.each = item.as_ref().map(given);
            if failed {
                scope.each = Some((
                    String::new(),
                    Given {
                        value: None,
                        secret: false,
                    },
                ));
            }
            let scope = Arc::new(scope);
            let before = errors.0.len();
            let declaration = one(&draft, item, expressions, &scope, types, errors);
            // One whose items are not told yet was looked at, and stands for nothing.
            if draft.asks.is_empty() {
                declarations.insert(declaration.address.clone(), declaration);
            }
            // What is wrong with one item is wrong with most: once is enough.
            if errors.0.len() > before {
                break;
            }
        }
    }
    declarations
}

/// The item as expressions see it.
pub(super) fn given(each: &Each) -> (String, Given) {
    let value = Given {
        value: Some(convert::to_jinja(&each.value)),
        secret: each.value.has_secret(),
    };
    (each.key.clone(), value)
}

fn one(
    draft: &Draft,
    each: Option<Each>,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    types: &Types,
    errors: &mut Errors,
) -> Declaration {
    let address = match &each {
        Some(each) => keyed(&draft.kind, &draft.name, &each.key),
        None => Address::new(&draft.kind, &draft.name),
    };
    let mut findings = Findings::default();
    let body = setups::evaluate(
        expressions,
        types,
        &draft.body,
        &draft.setups,
        scope,
        &mut findings,
    );
    findings.errors.0.extend(types.check(&body.node, &draft.at));
    references::collect(&body, types, expressions, &mut findings);
    let before = Arc::new(Scope {
        outputs: false,
        ..Scope::clone(scope)
    });
    if let Some(entry) = draft.common.get("depends_on") {
        depends_on(&entry.node, expressions, &before, &mut findings);
    }
    let mut flag = |key: &str| {
        let entry = draft.common.get(key)?;
        flag(key, &entry.node, expressions, &before, &mut findings.errors)
    };
    let protect = flag("protect").unwrap_or(false);
    let keep = flag("keep").unwrap_or(false);
    let mut serial = None;
    if let Some(entry) = draft.common.get("serial") {
        let items = draft.items.as_ref().map(Vec::len);
        let node = expressions.value(&entry.node, &before);
        let node = settings::visible(node, "serial", &mut findings.errors);
        let size = node.map(|node| each::at_once(&node, items));
        serial = size.and_then(|size| findings.errors.keep(size));
    }
    let mut tags = BTreeMap::new();
    if let Some(entry) = draft.common.get("tags") {
        match &entry.node.value {
            Value::Map(map) => {
                tags = settings::tags(map.iter(), expressions, &before, &mut findings.errors);
            }
            Value::Null => {}
            _ => findings.errors.push(Error::playbook(
                format!("`tags` is a mapping, this is {}", entry.node.type_name()),
                &entry.node.at,
            )),
        }
    }
    let wrong = findings.errors.0.into_iter();
    errors.0.extend(wrong.map(|error| error.of(&address)));
    let mut seen = HashSet::new();
    let mut references = findings.references;
    references.retain(|reference| {
        let place = (reference.at.line, reference.at.column);
        seen.insert((reference.target.clone(), reference.how, place))
    });
    Declaration {
        address,
        at: draft.at.clone(),
        body: draft.body.clone(),
        each,
        protect,
        keep,
        serial,
        tags,
        references,
        setups: draft.setups.clone(),
    }
}

fn flag(
    key: &str,
    node: &Node,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    errors: &mut Errors,
) -> Option<bool> {
    let node = settings::visible(expressions.value(node, scope), key, errors)?;
    if let Value::Bool(flag) = node.value {
        return Some(flag);
    }
    let message = format!("`{key}` is `true` or `false`, this is {}", node.type_name());
    errors.push(Error::playbook(message, &node.at));
    None
}

fn depends_on(node: &Node, expressions: &Expressions, scope: &Arc<Scope>, findings: &mut Findings) {
    let node = expressions.value(node, scope);
    let Some(node) = settings::visible(node, "depends_on", &mut findings.errors) else {
        return;
    };
    let single = std::slice::from_ref(&node);
    for item in node.as_list().unwrap_or(single) {
        let Some(targets) = findings
            .errors
            .keep(references::addresses(item, &scope.names))
        else {
            continue;
        };
        let reference = |target| Reference {
            target,
            at: item.at.clone(),
            how: How::DependsOn,
            declared: true,
            attaches: false,
        };
        findings
            .references
            .extend(targets.into_iter().map(reference));
    }
}
