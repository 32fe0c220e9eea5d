//! From files to a [`Playbook`], with all that is wrong collected on the way.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::Schema;

use super::document::Document;
use super::expression::{Expressions, Findings};
use super::files::{Bundled, Files};
use super::loaded::Playbook;
use super::names::{Names, is_name};
use super::scope::{Fact, Scope};
use super::types::Types;
use super::{cycle, declare, expand, settings, values, vars};
use crate::base::node::Entry;
use crate::base::{
    Address, Error, ErrorKind, Errors, Expansion, Node, OutputMeaning, Sections, World,
};

/// After this many errors, the rest of the playbook is not looked at.
pub(super) const MOST_ERRORS: usize = 100;

/// What an entry stands for beside itself, by its name and all that is written.
pub type Expand =
    dyn Fn(&str, &Entry, &Sections) -> Result<Option<Expansion>, Errors> + Send + Sync;

/// One section that a playbook may have.
pub struct Section {
    /// Its key, such as `instances`.
    pub name: &'static str,
    /// The JSON Schema of one spec. `x-kind` marks a text that names a resource of that section,
    /// `x-attaches` one that attaches itself to it, `x-template` a text that names a template, in
    /// which the `vars` beside it are names of their own; `x-setups` the list of setups, whose
    /// operations come before the spec's own. It is made when it is asked for: a playbook uses a few
    /// sections.
    pub schema: Box<dyn Fn() -> Schema + Send + Sync>,
    /// What expressions may read of one, and what it means; empty when nothing is promised.
    pub outputs: &'static [OutputMeaning],
    /// Outputs that an expanded entry has of what it stands for: the section of that, where it has
    /// the entry's name.
    pub borrows: &'static [(&'static str, OutputMeaning)],
    /// What an entry stands for beside itself, by its name and all that is written.
    pub expand: Box<Expand>,
    /// Its entries only ask about the account: `for_each` may read the answers.
    pub asks: bool,
}

/// What a playbook is loaded with.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `--var NAME=VALUE`, in order; the last one wins.
    pub vars: Vec<(String, String)>,
    /// `--vars-file`, in order; the last one wins.
    pub vars_files: Vec<PathBuf>,
    /// The process's environment: `env.NAME`, and `TIDEWALK_VAR_NAME` for variables.
    pub env: BTreeMap<String, String>,
    /// Templates and setups that are bundled in the binary.
    pub bundled: Option<Bundled>,
    /// Answers to questions about the account, for those that [`Playbook::asks`] at first.
    pub answers: World,
}

impl Playbook {
    /// Reads the playbook at `path` and all it includes, gives variables their values, and checks
    /// everything that can be told before a run: names, types, references, templates, cycles.
    ///
    /// # Errors
    /// All that is wrong, in the order of the files.
    pub fn load(path: &Path, options: &LoadOptions, sections: &[Section]) -> Result<Self, Errors> {
        let mut errors = Errors::default();
        let loaded = load(path, options, sections, &mut errors);
        match loaded {
            Some(playbook) if errors.0.is_empty() => Ok(playbook),
            _ => Err(in_order(errors)),
        }
    }
}

fn load(
    path: &Path,
    options: &LoadOptions,
    sections: &[Section],
    errors: &mut Errors,
) -> Option<Playbook> {
    let kinds: Vec<_> = sections.iter().map(|section| section.name).collect();
    let mut document = match Document::read(path, &kinds) {
        Ok(document) => document,
        Err(wrong) => {
            errors.0.extend(wrong.0);
            return None;
        }
    };
    expand::expand(&mut document, sections, errors);
    if !errors.0.is_empty() {
        return None;
    }
    let mut types = BTreeMap::new();
    let used = |section: &&Section| document.sections.contains_key(section.name);
    for section in sections.iter().filter(used) {
        let compiled = Types::new(section.name, (section.schema)().into());
        types.insert(section.name.to_owned(), errors.keep(compiled)?);
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let files = Files::new(folder.clone(), &options.env, options.bundled);
    let expressions = Expressions::new(files);
    let mut scope = first_scope(&document, options, sections);
    scope.vars = Arc::new(variables(
        &document,
        options,
        &expressions,
        &mut scope,
        errors,
    ));
    let settings = settings::read(&document, &expressions, &scope, &kinds, errors);
    let later = |fact: &Option<String>| fact.clone().map_or(Fact::Later, Fact::Known);
    scope.stack = Fact::Known(settings.stack.clone());
    scope.region = later(&settings.region);
    scope.account = later(&settings.account);
    let answers = &options.answers;
    let drafts = declare::drafts(&document, &expressions, &mut scope, &types, answers, errors);
    let mut asks: Vec<Address> = drafts.iter().flat_map(declare::Draft::asks).collect();
    asks.sort();
    asks.dedup();
    scope.outputs = true;
    let declarations = declare::finish(drafts, &expressions, &scope, &types, errors);
    let outputs = outputs(&document, &expressions, &scope, errors);
    if errors.0.len() < MOST_ERRORS {
        errors.0.extend(cycle::find(&declarations));
    }
    Some(Playbook {
        path: path.to_owned(),
        folder,
        stack: settings.stack,
        account: settings.account,
        region: settings.region,
        tags: settings.tags,
        lease: settings.lease,
        limits: settings.limits,
        monthly_limit: settings.monthly_limit,
        outputs,
        declarations,
        asks,
        expressions,
        scope,
        types,
    })
}

/// The scope before anything is known: names of variables and sections, and the environment.
fn first_scope(document: &Document, options: &LoadOptions, sections: &[Section]) -> Scope {
    let names = Names {
        vars: document
            .map("vars")
            .map(|(name, _)| (name.clone(), false))
            .collect(),
        sections: sections
            .iter()
            .map(|section| (section.name.to_owned(), IndexMap::new()))
            .collect(),
        questions: sections
            .iter()
            .filter(|section| section.asks)
            .map(|section| section.name)
            .collect(),
        pending: BTreeSet::new(),
        made: document.made.clone(),
        borrows: sections
            .iter()
            .map(|section| (section.name.to_owned(), section.borrows))
            .collect(),
        outputs: sections
            .iter()
            .map(|section| {
                let names = section.outputs.iter().map(|(name, _)| *name);
                (section.name.to_owned(), names.collect())
            })
            .collect(),
    };
    let env = options.env.iter();
    let env = env.filter(|(name, _)| !name.starts_with(vars::PREFIX));
    Scope {
        vars: Arc::default(),
        env: Arc::new(
            env.map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        each: None,
        stack: Fact::NotHere,
        region: Fact::NotHere,
        account: Fact::NotHere,
        outputs: false,
        names: Arc::new(names),
        known: Arc::default(),
        extra: Arc::default(),
    }
}

fn variables(
    document: &Document,
    options: &LoadOptions,
    expressions: &Expressions,
    scope: &mut Scope,
    errors: &mut Errors,
) -> IndexMap<String, super::scope::Given> {
    let mut declared = IndexMap::new();
    for (name, entry) in document.map("vars") {
        if let Some(variable) = vars::declare(name, entry, errors) {
            declared.insert(name.clone(), variable);
        }
    }
    let sources = values::Sources {
        typed: &options.vars,
        files: &options.vars_files,
        env: &options.env,
    };
    values::resolve(&declared, &sources, expressions, scope, errors)
}

fn outputs(
    document: &Document,
    expressions: &Expressions,
    scope: &Scope,
    errors: &mut Errors,
) -> IndexMap<String, Node> {
    let scope = Arc::new(scope.clone());
    let mut outputs = IndexMap::new();
    for (name, entry) in document.map("outputs") {
        if !is_name(name) {
            errors.push(
                Error::playbook(format!("`{name}` cannot name an output"), &entry.key_at)
                    .hint("use letters, digits, `_`, `-` and `.`"),
            );
        }
        let mut findings = Findings::default();
        expressions.evaluate(&entry.node, &scope, &mut findings);
        errors.0.extend(findings.errors.0);
        outputs.insert(name.clone(), entry.node.clone());
    }
    outputs
}

/// By file and line, each said once; files in the order in which they were first met.
fn in_order(mut errors: Errors) -> Errors {
    let mut files: Vec<PathBuf> = Vec::new();
    for error in &errors.0 {
        if let Some(at) = error.location()
            && !files.contains(&at.source.path)
        {
            files.push(at.source.path.clone());
        }
    }
    errors.0.sort_by_key(|error| {
        error.location().map(|at| {
            let file = files.iter().position(|path| *path == at.source.path);
            (file, at.line, at.column)
        })
    });
    let mut seen = HashSet::new();
    errors.0.retain(|error| seen.insert(error.to_string()));
    if errors.0.len() > MOST_ERRORS {
        let more = errors.0.len() - MOST_ERRORS;
        errors.0.truncate(MOST_ERRORS);
        errors.push(Error::new(
            ErrorKind::Playbook,
            format!("and {more} more, not shown; the rest of the playbook was not looked at"),
        ));
    }
    errors
}
