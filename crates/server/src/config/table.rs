//! The form of the table of settings: one declaration of a field gives the field itself, its
//! setting, how it is read, and its row in the documentation.

/// Structs whose fields are settings or sections.
///
/// ```text
/// /// The meaning, for rustdoc and for docs/configuration.md.
/// a setting, read by its type:
///     field: Type = NAME plain("key", "VARIABLE").number(1, 9);
/// read by function(reader, &NAME), and by function(reader, &NAME, &earlier):
///     field: Type = NAME plain("key", "VARIABLE"), by function;
///     field: Type = NAME plain("key", "VARIABLE"), by function(earlier);
/// a section, which is another struct of the table, or is read by function(reader):
///     field: Struct;
///     field: Type, by function;
/// ```
///
/// A struct is read if all of its fields are. Every field is read even if one before it failed, so
/// that the reader collects everything that is wrong. `ALL` has the settings of all structs, in the
/// order in which they are written.
macro_rules! settings {
    ($(
        $(#[$about:meta])*
        $visible:vis struct $name:ident {$(
            $(#[doc = $meaning:literal])+
            $field:ident: $type:ty $(= $setting:ident $declared:expr)? $(, by $read:ident $(($($earlier:ident),+))?)?;
        )+}
    )+) => {
        $($(settings!(@setting [$($setting, $declared)?] $($meaning)+);)+)+

        /// Every setting, in the order of the documentation.
        pub const ALL: &[Setting] = &[$($($($setting,)?)+)+];

        $(
            $(#[$about])*
            $visible struct $name {
                $($(#[doc = $meaning])+ pub $field: $type,)+
            }

            impl $name {
                pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
                    $(let $field: Option<$type> =
                        settings!(@read reader, $type, [$($setting)?] [$($read $(($($earlier),+))?)?]);)+
                    Some(Self { $($field: $field?,)+ })
                }
            }
        )+
    };

    (@setting [] $($meaning:literal)+) => {};
    (@setting [$setting:ident, $declared:expr] $($meaning:literal)+) => {
        pub const $setting: Setting = $declared.meaning(concat!($($meaning),+));
    };

    (@read $reader:ident, $type:ty, [] []) => { <$type>::read($reader) };
    (@read $reader:ident, $type:ty, [] [$read:ident]) => { $read($reader) };
    (@read $reader:ident, $type:ty, [$setting:ident] []) => { <$type as FromSetting>::read($reader, &$setting) };
    (@read $reader:ident, $type:ty, [$setting:ident] [$read:ident]) => { $read($reader, &$setting) };
    (@read $reader:ident, $type:ty, [$setting:ident] [$read:ident ($($earlier:ident),+)]) => {
        $read($reader, &$setting, $(&$earlier),+)
    };
}

pub(super) use settings;
