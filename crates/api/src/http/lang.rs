//! The language of messages: `zh-CN` unless the caller prefers English.

use policy::Lang;

/// Chooses by `Accept-Language` (RFC 9110, 12.5.4): the supported language of the highest quality,
/// Chinese on a tie and when nothing matches. A header that cannot be read counts as absent, since
/// a message in Chinese beats no message.
pub(crate) fn negotiate(header: Option<&str>) -> Lang {
    let (mut zh, mut en) = (None, None);
    for range in header.unwrap_or_default().split(',').take(32) {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let quality = parts
            .find_map(|part| part.trim().strip_prefix("q=").map(quality))
            .unwrap_or(1000);
        let slot = match tag.split('-').next() {
            Some("zh") => &mut zh,
            Some("en") => &mut en,
            _ => continue,
        };
        *slot = (*slot).max(Some(quality));
    }
    if en.filter(|quality| *quality > 0) > zh {
        Lang::En
    } else {
        Lang::Zh
    }
}

/// Thousandths; at most three decimals count.
fn quality(text: &str) -> u16 {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if whole != "0" {
        return 1000;
    }
    let padded: String = decimals.chars().chain("000".chars()).take(3).collect();
    padded.parse().unwrap_or(0)
}

/// The tag for `Content-Language`.
pub(crate) fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    }
}

/// The text of the language.
pub(crate) fn pick<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_unless_english_is_preferred() {
        for (header, lang) in [
            (None, Lang::Zh),
            (Some(""), Lang::Zh),
            (Some("*"), Lang::Zh),
            (Some("fr"), Lang::Zh),
            (Some("en"), Lang::En),
            (Some("en-GB,en;q=0.9"), Lang::En),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh),
            (Some("en;q=0.8, zh;q=0.81"), Lang::Zh),
            (Some("en, zh"), Lang::Zh),
            (Some("fr, en;q=0.5"), Lang::En),
            (Some("en;q=0"), Lang::Zh),
        ] {
            assert_eq!(negotiate(header), lang, "{header:?}");
        }
    }
}
