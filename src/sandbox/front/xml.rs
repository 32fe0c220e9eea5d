//! EC2's XML as a small tree: data only, no mixed content; texts stay escaped as they came.

use std::fmt::Write;

use xmlparser::{ElementEnd, Token, Tokenizer};

/// An element with either children or text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Name without a prefix.
    pub(crate) name: String,
    /// Attributes as they were written (`xmlns="…"`).
    pub(crate) attributes: String,
    /// Elements in it.
    pub(crate) children: Vec<Element>,
    /// Text in it, escaped.
    pub(crate) text: String,
}

impl Element {
    /// An element with text in it.
    pub(crate) fn with_text(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: escape(text),
            ..Self::default()
        }
    }

    /// Reads a document; `None` when it is not well-formed.
    pub(crate) fn parse(document: &str) -> Option<Self> {
        let mut open: Vec<Self> = vec![Self::default()];
        for token in Tokenizer::from(document) {
            match token.ok()? {
                Token::ElementStart { local, .. } => open.push(Self {
                    name: local.as_str().to_owned(),
                    ..Self::default()
                }),
                Token::Attribute { span, .. } => {
                    let element = open.last_mut()?;
                    element.attributes.push(' ');
                    element.attributes.push_str(span.as_str());
                }
                Token::ElementEnd { end, .. } if !matches!(end, ElementEnd::Open) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Token::Text { text } => open.last_mut()?.text.push_str(text.as_str().trim()),
                _ => {}
            }
        }
        let root = open.pop().filter(|_| open.is_empty())?;
        root.children.into_iter().next()
    }

    /// The whole document.
    pub(crate) fn document(&self) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        let (name, attributes, text) = (&self.name, &self.attributes, &self.text);
        if self.children.is_empty() {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "<{name}{attributes}>{text}</{name}>");
            return;
        }
        let _ = write!(out, "<{name}{attributes}>");
        for child in &self.children {
            child.write(out);
        }
        let _ = write!(out, "</{name}>");
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of that name, to be changed.
    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children.iter_mut().find(|child| child.name == name)
    }

    /// The text of the first child of that name; an empty one counts as none.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name)
            .map(|child| child.text.as_str())
            .filter(|text| !text.is_empty())
    }

    /// Calls `visit` for this element and all in it, parents first.
    pub(crate) fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Self)) {
        visit(self);
        for child in &mut self.children {
            child.walk_mut(visit);
        }
    }

    /// Calls `visit` for this element and all in it, parents first.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }
}

/// `text` as it may stand in an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_back_as_it_was_read() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"u\"><a>x &amp; y</a><b><item>1</item></b><c></c></R>";
        let root = Element::parse(text).unwrap();
        assert_eq!(root.text_of("a"), Some("x &amp; y"));
        assert_eq!(root.text_of("c"), None);
        assert_eq!(root.document(), text);
        assert_eq!(Element::parse("<a><b></a>"), None);
    }
}
