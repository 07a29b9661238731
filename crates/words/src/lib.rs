//! Closed lists of texts.
//!
//! A status, an outcome or a reason is one text out of a list that is fixed at compile time.
//! [`words!`] declares the list once: the enum, and each value's text on the wire, in the database
//! and in hashed bytes.

/// Declares an enum whose values each have one text.
///
/// It derives what a value needs to be copied, compared and used as a key; further attributes, such
/// as `#[derive(Deserialize)]`, stand before it. A text that stands twice in a list does not
/// compile.
///
/// ```
/// words::words! {
///     /// How a proposal ended.
///     pub enum Ending {
///         Approved = "approved",
///         /// With a reason.
///         Refused = "refused",
///     }
/// }
/// assert_eq!(Ending::parse("refused"), Some(Ending::Refused));
/// assert_eq!(Ending::ALL.map(Ending::as_str), ["approved", "refused"]);
/// ```
///
/// ```compile_fail
/// words::words! { pub enum Twice { One = "one", Two = "one" } }
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// Every value, in the order of the declaration.
            $vis const ALL: [$name; [$($word),+].len()] = [$($name::$variant),+];
            /// The texts, in the order of `ALL`.
            $vis const WORDS: &'static [&'static str] = &[$($word),+];

            $vis const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The inverse of `as_str`.
            #[deny(unreachable_patterns)]
            $vis fn parse(text: &str) -> Option<$name> {
                match text { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    words! {
        /// A list.
        #[derive(Default)]
        enum Colour {
            #[default]
            Red = "red",
            DarkBlue = "dark_blue",
        }
    }

    #[test]
    fn a_word_and_its_value_are_inverse() {
        assert_eq!(Colour::ALL.map(Colour::as_str), Colour::WORDS);
        assert_eq!(
            Colour::ALL.map(|it| Colour::parse(it.as_str())),
            Colour::ALL.map(Some)
        );
        assert_eq!(Colour::parse("Red"), None);
        assert_eq!(Colour::parse(""), None);
        assert_eq!(Colour::default(), Colour::Red);
    }

    #[test]
    fn a_word_is_padded_as_text_is() {
        assert_eq!(
            format!("{:>11}|{:<4}|", Colour::DarkBlue, Colour::Red),
            "  dark_blue|red |"
        );
    }
}
