//! Whether an address is in Shanxi, by its text.

use crate::text::model_key;

/// Shanxi's name; an address that starts with it is inside.
const HERE: &str = "山西";

/// The other province-level divisions, in the short form with which their full names begin.
const ELSEWHERE: &str = "北京 天津 河北 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 \
    广东 广西 海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门";

/// Shanxi's prefecture cities, and Yuncheng's counties in full: people leave the province out of an
/// address nearby. A county's bare name would also be the start of streets elsewhere.
const LOCAL: &str = "太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁 盐湖区 临猗县 万荣县 闻喜县 稷山县 新绛县 绛县 \
    垣曲县 夏县 平陆县 芮城县 永济市 河津市";

/// `None` if the address begins with none of these names.
pub fn in_province(address: &str) -> Option<bool> {
    let address = model_key(address);
    let address = ["中华人民共和国", "中国"]
        .iter()
        .find_map(|c| address.strip_prefix(c))
        .unwrap_or(&address);
    let starts = |names: &str| {
        names
            .split_whitespace()
            .any(|name| address.strip_prefix(name).is_some_and(is_region))
    };
    if starts(HERE) {
        Some(true)
    } else if starts(ELSEWHERE) {
        Some(false)
    } else if starts(LOCAL) {
        Some(true)
    } else {
        None
    }
}

/// Whether a name that `rest` follows is a region's. Streets and villages everywhere are called
/// after provinces and cities: 上海路 exists in a hundred towns, and a claim must not be refused for
/// an address there.
fn is_region(rest: &str) -> bool {
    let street = rest
        .strip_prefix(['东', '西', '南', '北', '中', '大'])
        .unwrap_or(rest);
    !street.starts_with(['路', '街', '道', '巷', '弄', '村', '镇', '乡', '庄', '里'])
}

#[cfg(test)]
mod tests {
    use super::in_province;

    #[test]
    fn addresses() {
        for (address, expected) in [
            ("山西省运城市盐湖区解放北路100号", Some(true)),
            ("中国 山西 运城", Some(true)),
            ("运城市盐湖区", Some(true)),
            ("大同市平城区", Some(true)),
            ("临猗县猗氏镇", Some(true)),
            ("永济市城西街道", Some(true)),
            ("陕西省渭南市", Some(false)),
            ("北京市朝阳区", Some(false)),
            ("内蒙古自治区包头市", Some(false)),
            ("澳门特别行政区", Some(false)),
            ("河南省三门峡市", Some(false)),
            ("北京西城区", Some(false)),
            ("上海路88号", None),
            ("太原南路1号", None),
            ("山西路2号", None),
            ("河南村3组", None),
            ("解放北路100号", None),
            ("三门峡市湖滨区", None),
            ("", None),
        ] {
            assert_eq!(in_province(address), expected, "{address}");
        }
    }
}
