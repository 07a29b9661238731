//! How much of an address may be shown.

/// Ends of a county's name that end other names too.
const NOT_COUNTIES: [&str; 6] = ["小区", "社区", "园区", "校区", "院区", "厂区"];

/// Words that stand below the county: whatever holds one is past it.
const STREET_WORDS: &str = "路街道巷弄村镇乡号楼室";

/// Longest name of a county with its ending that is believed to be one. A longer one (they exist) is hidden.
const LONGEST_COUNTY: usize = 8;

/// The province, city and county an address begins with, and stars for the rest. An address that begins otherwise is all
/// stars: its first characters may be its street.
pub(super) fn region(address: &str) -> String {
    let (province, rest) = split_after(address, &["省", "自治区", "特别行政区"], 8);
    let (city, rest) = split_after(rest, &["市", "自治州", "地区", "盟"], 10);
    let county = if province.is_empty() && city.is_empty() {
        ""
    } else {
        county(rest)
    };
    format!("{province}{city}{county}***")
}

/// Splits after the first ending that comes within `longest` characters and before any word of a street.
fn split_after<'a>(text: &'a str, endings: &[&str], longest: usize) -> (&'a str, &'a str) {
    text.char_indices()
        .map(|(start, c)| start.saturating_add(c.len_utf8()))
        .take(longest)
        .filter_map(|end| text.split_at_checked(end))
        .find(|(name, _)| {
            endings
                .iter()
                .any(|ending| name.ends_with(ending) && name.len() > ending.len())
        })
        .filter(|(name, _)| is_area(name))
        .unwrap_or(("", text))
}

fn county(text: &str) -> &str {
    let (name, _) = split_after(text, &["区", "县", "旗", "市"], LONGEST_COUNTY);
    if NOT_COUNTIES.iter().any(|other| name.ends_with(other)) {
        ""
    } else {
        name
    }
}

fn is_area(name: &str) -> bool {
    !name
        .chars()
        .any(|c| STREET_WORDS.contains(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn shows_no_more_than_the_county() {
        for (address, shown) in [
            ("山西省运城市盐湖区解放北路100号", "山西省运城市盐湖区***"),
            ("山西省运城市永济市城西街道1号", "山西省运城市永济市***"),
            ("山西省临猗县猗氏镇", "山西省临猗县***"),
            ("运城市夏县瑶峰镇", "运城市夏县***"),
            (
                "内蒙古自治区锡林郭勒盟东乌珠穆沁旗1号",
                "内蒙古自治区锡林郭勒盟东乌珠穆沁旗***",
            ),
            ("北京市朝阳区建国路1号", "北京市朝阳区***"),
            ("山西省运城市幸福小区3号楼", "山西省运城市***"),
            ("山西省运城市解放北路幸福小区", "山西省运城市***"),
            ("解放北路100号", "***"),
            ("盐湖区解放北路100号", "***"),
            ("解放路市场1号", "***"),
            ("市", "***"),
            ("", "***"),
        ] {
            assert_eq!(region(address), shown, "{address}");
        }
    }
}
