//! A writer of indented XML that cannot fail and writes each value in one form.

use quick_xml::escape::minimal_escape;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document being written. Names are constants of this crate; text is escaped.
pub(super) struct Xml {
    out: String,
    depth: usize,
}

impl Xml {
    /// A document whose root is `name` in the namespace `namespace`.
    pub(super) fn document(name: &str, namespace: &str, inside: impl FnOnce(&mut Xml)) -> String {
        let mut xml = Xml {
            out: DECLARATION.to_owned(),
            depth: 0,
        };
        xml.wrap(name, &format!(" xmlns=\"{namespace}\""), inside);
        xml.out
    }

    pub(super) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.wrap(name, "", inside);
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, "", text);
    }

    /// A sum of money in yuan, with its currency.
    pub(super) fn amount(&mut self, name: &str, amount: ledger::Fen) {
        self.leaf_with(name, " Ccy=\"CNY\"", &amount.to_string());
    }

    fn wrap(&mut self, name: &str, attributes: &str, inside: impl FnOnce(&mut Xml)) {
        self.line(&format!("<{name}{attributes}>"));
        self.depth = self.depth.saturating_add(1);
        inside(self);
        self.depth = self.depth.saturating_sub(1);
        self.line(&format!("</{name}>"));
    }

    fn leaf_with(&mut self, name: &str, attributes: &str, text: &str) {
        let text = minimal_escape(text);
        // `]]>` may not stand in text; the escape leaves `>` alone.
        let text = text.replace('>', "&gt;");
        self.line(&format!("<{name}{attributes}>{text}</{name}>"));
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(&"  ".repeat(self.depth));
        self.out.push_str(line);
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let written = Xml::document("a", "urn:x", |xml| {
            xml.element("b", |xml| xml.leaf("c", "<A> & \"B\" ]]> 王"));
        });
        assert_eq!(
            written,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"urn:x\">\n  <b>\n    \
             <c>&lt;A&gt; &amp; \"B\" ]]&gt; 王</c>\n  </b>\n</a>\n"
        );
    }
}
