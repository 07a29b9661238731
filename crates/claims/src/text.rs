//! Folds of text, so that two spellings of the same value compare equal.
//!
//! Registers and tills write the same model, number or name in full width or half width, in either
//! case, with stray spaces. The folds here remove these differences and nothing else; they are the
//! only folds, so that two comparisons can never disagree.

/// Full-width ASCII and the ideographic space in their plain forms.
fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => u32::from(c)
            .checked_sub(0xFEE0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        _ => c,
    }
}

/// Trimmed, full width made half width, inner runs of spaces made one.
pub fn narrowed(text: &str) -> String {
    let narrow: String = text.chars().map(narrow).collect();
    narrow.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// [`narrowed`] and in upper case: the fold of numbers, codes, brands and models.
pub fn folded(text: &str) -> String {
    narrowed(text).to_uppercase()
}

/// Brand or model as a key: [`folded`] without any space.
pub fn model_key(text: &str) -> String {
    folded(text).chars().filter(|c| !c.is_whitespace()).collect()
}

/// A person's name for comparing: [`folded`], without spaces, and with one form of the dot that
/// joins the parts of a minority or foreign name, which input methods write in many ways.
pub fn name_key(text: &str) -> String {
    let dot = |c| {
        if matches!(c, '•' | '‧' | '∙' | '⋅' | '・' | '･' | '．' | '.' | '●') {
            '·'
        } else {
            c
        }
    };
    text.chars()
        .map(dot)
        .collect::<String>()
        .split('·')
        .map(model_key)
        .collect::<Vec<_>>()
        .join("·")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds() {
        assert_eq!(narrowed(" ＫＦＲ－３５\u{3000} GW "), "KFR-35 GW");
        assert_eq!(folded("ｋfr-35"), "KFR-35");
        assert_eq!(model_key("kfr 35 / gw"), "KFR35/GW");
        assert_eq!(name_key("阿依古丽 • 买买提"), name_key("阿依古丽·买买提"));
        assert_eq!(name_key("Ｊｏｈｎ．Ｓmith"), "JOHN·SMITH");
        assert_ne!(name_key("王建国"), name_key("王建军"));
    }
}
