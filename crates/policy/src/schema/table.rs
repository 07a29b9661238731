//! The rows. Each line: key, type, path, meaning (zh, en), how to supply it (zh, en).

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    CHANNELS, ENERGIES, Fact, FactType, ITEM_KINDS, MERCHANT_KINDS, OLD_KINDS, PAYEES, STANDINGS, before,
};
use crate::facts::Key;

facts! {
    CLAIM_RECEIVED_ON: Date "claim.received_on", "申请受理日期", "day on which the claim was received (Asia/Shanghai)",
        "由系统记录", "recorded by the service";
    CLAIM_CHANNEL: Choice(CHANNELS) "claim.channel", "销售渠道", "channel of the sale",
        "填写 channel", "give channel";

    PURCHASE_INVOICE_DATE: Date "purchase.invoice_date", "发票开具日期", "date of the invoice",
        "填写 purchase.invoice.date", "give purchase.invoice.date";
    PURCHASE_INVOICE_TOTAL: Money "purchase.invoice_total", "发票价税合计", "invoice total including tax",
        "填写 purchase.invoice.total", "give purchase.invoice.total";
    PURCHASE_LIST_PRICE: Money "purchase.list_price", "优惠前标价", "list price before discounts",
        "填写 purchase.list_price", "give purchase.list_price";
    PURCHASE_FINAL_PRICE: Money "purchase.final_price", "扣除各环节优惠后的最终销售价格", "final price after all discounts, including tax",
        "填写 purchase.final_price", "give purchase.final_price";
    PURCHASE_PAID: Money "purchase.paid", "消费者实付金额", "amount that the consumer paid",
        "填写 purchase.paid", "give purchase.paid";
    PURCHASE_DELIVERED_ON: Date "purchase.delivered_on", "送达日期", "day of delivery",
        "填写 purchase.delivered_on", "give purchase.delivered_on";
    PURCHASE_GOODS_NAME: Text "purchase.goods_name", "发票上的货物名称", "name of the goods on the invoice",
        "按发票填写 purchase.invoice.goods_name", "give purchase.invoice.goods_name as the invoice states it";

    NAMES_AGREE: Bool "names.agree", "应当一致的姓名均为申请人：家电和数码产品的发票购买方、付款人、收货人，汽车的发票购买方及所填付款人", "the names that must agree are the applicant's: buyer, payer and consignee of goods; buyer, and payer where given, of a car",
        "填写 purchase.invoice.buyer_name、purchase.payer_name、purchase.consignee_name", "give purchase.invoice.buyer_name, purchase.payer_name and purchase.consignee_name";
    NAMES_BUYER_AGREES: Bool "names.buyer_agrees", "发票购买方为申请人", "the invoice's buyer is the applicant",
        "填写 purchase.invoice.buyer_name", "give purchase.invoice.buyer_name";
    NAMES_PAYER_AGREES: Bool "names.payer_agrees", "付款人为申请人", "the payer is the applicant",
        "填写 purchase.payer_name", "give purchase.payer_name";
    NAMES_CONSIGNEE_AGREES: Bool "names.consignee_agrees", "收货人为申请人", "the consignee is the applicant",
        "填写 purchase.consignee_name", "give purchase.consignee_name";

    DELIVERY_IN_PROVINCE: Bool "delivery.in_province", "送货地址在省内", "the delivery address is in the province",
        "填写 purchase.delivery_address，写明省、市、县", "give purchase.delivery_address with province, city and county";

    ITEM_KIND: Choice(ITEM_KINDS) "item.kind", "商品种类", "what the item is",
        "填写 item.kind", "give item.kind";
    ITEM_CATEGORY: Text "item.category", "商品品类（汽车为 vehicle）", "category of the item (`vehicle` for a car)",
        "填写 item.category", "give item.category";
    ITEM_BRAND: Text "item.brand", "品牌", "brand",
        "填写 item.brand", "give item.brand";
    ITEM_MODEL: Text "item.model", "型号", "model",
        "填写 item.model", "give item.model";
    ITEM_HAS_SERIAL_NUMBER: Bool "item.has_serial_number", "产品序列号（SN）", "the serial number was given",
        "填写 item.serial_number", "give item.serial_number";
    ITEM_HAS_GTIN: Bool "item.has_gtin", "商品条码（69码）", "the GTIN was given",
        "填写 item.gtin", "give item.gtin";
    ITEM_HAS_IMEI: Bool "item.has_imei", "IMEI", "at least one IMEI was given",
        "填写 item.imei", "give item.imei";
    ITEM_HAS_EFFICIENCY_LABEL: Bool "item.has_efficiency_label", "能效或水效标识备案号", "the efficiency label's record was given",
        "填写 item.efficiency_label", "give item.efficiency_label";
    ITEM_HAS_REGISTRATION_CERTIFICATE: Bool "item.has_registration_certificate", "机动车登记证书编号", "the registration certificate's number was given",
        "填写 item.registration_certificate", "give item.registration_certificate";
    ITEM_ENERGY: Choice(ENERGIES) "item.energy", "新车能源种类", "energy of the new car",
        "填写 item.energy", "give item.energy";
    ITEM_VEHICLE_TYPE: Text "item.vehicle_type", "新车车辆类型", "type of the new car as registered",
        "填写 item.vehicle_type", "give item.vehicle_type";
    ITEM_DISPLACEMENT_ML: Number "item.displacement_ml", "新车排量（毫升）", "displacement of the new car in ml",
        "填写 item.displacement_ml", "give item.displacement_ml";
    ITEM_VIN_CHECK_DIGIT_OK: Bool "item.vin_check_digit_ok", "新车车辆识别代号校验位正确", "the new car's VIN has the right check digit",
        "填写 item.vin", "give item.vin";

    PAPERS_REGISTRATION_DATE: Date "papers.registration_date", "机动车登记证书日期", "date of the new car's registration certificate",
        "填写 item.registered_on", "give item.registered_on";
    PAPERS_SCRAP_CERTIFICATE_DATE: Date "papers.scrap_certificate_date", "报废机动车回收证明日期", "date of the scrap certificate",
        "填写 old_item.scrap_certificate", "give old_item.scrap_certificate";
    PAPERS_DEREGISTRATION_DATE: Date "papers.deregistration_date", "机动车注销证明日期", "date of the deregistration certificate",
        "填写 old_item.deregistration", "give old_item.deregistration";
    PAPERS_TRANSFER_DATE: Date "papers.transfer_date", "二手车销售统一发票日期", "date of the used-car sales invoice",
        "填写 old_item.transfer", "give old_item.transfer";

    OLD_GIVEN: Bool "old.given", "填写了旧件", "an old item was given",
        "填写 old_item", "give old_item";
    OLD_KIND: Choice(OLD_KINDS) "old.kind", "旧件种类", "what the old item is",
        "填写 old_item.kind", "give old_item.kind";
    OLD_CATEGORY: Text "old.category", "旧家电品类", "category of the old appliance",
        "填写 old_item.category", "give old_item.category";
    OLD_COLLECTED_ON: Date "old.collected_on", "旧家电回收日期", "day on which the old appliance was collected",
        "填写 old_item.collected_on", "give old_item.collected_on";
    OLD_ENERGY: Choice(ENERGIES) "old.energy", "旧车能源种类", "energy of the old car",
        "填写 old_item.energy", "give old_item.energy";
    OLD_VEHICLE_TYPE: Text "old.vehicle_type", "旧车车辆类型", "type of the old car as registered",
        "填写 old_item.vehicle_type", "give old_item.vehicle_type";
    OLD_FIRST_REGISTERED_ON: Date "old.first_registered_on", "旧车首次注册登记日期", "day on which the old car was first registered",
        "填写 old_item.first_registered_on", "give old_item.first_registered_on";
    OLD_OWNED_SINCE: Date "old.owned_since", "旧车登记在申请人名下的日期", "day since which the old car was in its owner's name",
        "填写 old_item.owned_since", "give old_item.owned_since";
    OLD_OWNER_IS_APPLICANT: Bool "old.owner_is_applicant", "旧车所有人为申请人", "the old car's owner is the applicant",
        "填写 old_item.owner_identity_number", "give old_item.owner_identity_number";
    OLD_VIN_CHECK_DIGIT_OK: Bool "old.vin_check_digit_ok", "旧车车辆识别代号校验位正确", "the old car's VIN has the right check digit",
        "填写 old_item.vin", "give old_item.vin";

    LABEL_GRADE: Number "label.grade", "能效或水效等级", "efficiency grade in the label catalogue",
        "填写目录中已备案的 item.efficiency_label", "give an item.efficiency_label that is in the catalogue";
    LABEL_CATEGORY: Text "label.category", "能效标识备案的品类", "category in the label catalogue",
        "填写目录中已备案的 item.efficiency_label", "give an item.efficiency_label that is in the catalogue";
    LABEL_MATCHES_ITEM: Bool "label.matches_item", "能效标识备案的品牌型号与商品一致", "brand and model in the label catalogue are the item's",
        "填写目录中已备案的 item.efficiency_label", "give an item.efficiency_label that is in the catalogue";

    FILED_PRICE: Money "filed.price", "开票日有效的备案价格", "filed price in force on the invoice date",
        "由商户先行备案该型号的价格", "have the merchant file the model's price";

    CERTIFICATE_VIN_MATCHES: Bool "certificate.vin_matches", "回收证明登记的车辆识别代号与申请一致", "the VIN on the scrap register is the old car's",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";
    CERTIFICATE_OWNER_MATCHES: Bool "certificate.owner_matches", "回收证明登记的车主为申请人", "the owner on the scrap register is the applicant",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";
    CERTIFICATE_PLATE_MATCHES: Bool "certificate.plate_matches", "回收证明登记的号牌与申请一致", "the plate on the scrap register is the old car's",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";
    CERTIFICATE_ENERGY: Choice(ENERGIES) "certificate.energy", "回收证明登记的能源种类", "energy on the scrap register",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";
    CERTIFICATE_VEHICLE_TYPE: Text "certificate.vehicle_type", "回收证明登记的车辆类型", "vehicle type on the scrap register",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";
    CERTIFICATE_FIRST_REGISTERED_ON: Date "certificate.first_registered_on", "回收证明登记的首次注册登记日期", "first registration on the scrap register",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";
    CERTIFICATE_ISSUED_ON: Date "certificate.issued_on", "回收证明登记的开具日期", "date of issue on the scrap register",
        "填写已登记的报废机动车回收证明编号", "give a scrap certificate that is on the register";

    VEHICLE_MODEL_LISTED: Bool "vehicle_model.listed", "开票日车型在减免车辆购置税目录内", "the model is in the purchase-tax catalogue on the invoice date",
        "填写目录中的 item.model", "give an item.model that is in the catalogue";
    VEHICLE_MODEL_ENERGY: Choice(ENERGIES) "vehicle_model.energy", "目录中的能源种类", "energy in the catalogue",
        "填写目录中的 item.model", "give an item.model that is in the catalogue";
    VEHICLE_MODEL_VEHICLE_TYPE: Text "vehicle_model.vehicle_type", "目录中的车辆类型", "vehicle type in the catalogue",
        "填写目录中的 item.model", "give an item.model that is in the catalogue";

    ENTITLEMENT_GIVEN: Bool "entitlement.given", "填写了资格码", "an entitlement code was given",
        "填写 entitlement", "give entitlement";
    ENTITLEMENT_BELONGS_TO_APPLICANT: Bool "entitlement.belongs_to_applicant", "资格由申请人领取", "the entitlement is the applicant's",
        "填写已登记的资格码", "give an entitlement code that is on the register";
    ENTITLEMENT_PROGRAMME: Text "entitlement.programme", "资格所属的补贴项目", "programme of the entitlement",
        "填写已登记的资格码", "give an entitlement code that is on the register";
    ENTITLEMENT_CATEGORY: Text "entitlement.category", "资格所属的品类", "category of the entitlement",
        "填写已登记的资格码", "give an entitlement code that is on the register";
    ENTITLEMENT_ISSUED_ON: Date "entitlement.issued_on", "资格发放日期", "day on which the entitlement was issued",
        "填写已登记的资格码", "give an entitlement code that is on the register";
    ENTITLEMENT_EXPIRES_ON: Date "entitlement.expires_on", "资格有效期截止日", "last day of the entitlement",
        "填写已登记的资格码", "give an entitlement code that is on the register";

    MERCHANT_STATUS: Choice(STANDINGS) "merchant.status", "商户准入状态", "standing of the merchant",
        "由商务部门登记该商户", "have the commerce bureau register the merchant";
    MERCHANT_KIND: Choice(MERCHANT_KINDS) "merchant.kind", "商户种类", "kind of the merchant",
        "由商务部门登记该商户", "have the commerce bureau register the merchant";
    DISMANTLER_LICENSED: Bool "dismantler.licensed", "回收证明开具日回收拆解企业有资质", "the dismantler was licensed on the scrap certificate's date",
        "填写已登记的 old_item.scrap_certificate.dismantler", "give an old_item.scrap_certificate.dismantler that is on the register";
    COLLECTOR_LICENSED: Bool "collector.licensed", "回收日回收企业在名录内", "the collector was licensed on the day of collection",
        "填写已登记的 old_item.collector", "give an old_item.collector that is on the register";
    PAYEE_KIND: Choice(PAYEES) "payee.kind", "收款人种类", "who is paid",
        "填写 payee.kind", "give payee.kind";

    @computed
    PROGRAMME_ID: Text "programme.id", "补贴项目编号", "id of the programme";
    PROGRAMME_OPENS_ON: Date "programme.opens_on", "政策期首日", "first day of the window";
    PROGRAMME_CLOSES_ON: Date "programme.closes_on", "政策期末日", "last day of the window";
    PROGRAMME_FILING_CLOSES_ON: Date "programme.filing_closes_on", "申报截止日", "last day of filing";
    GOVERNING_DATE: Date "governing.date", "适用日期", "the date that decides which rules apply";
    GATE_PRICE: Money "gate.price", "适用价格上限的价格", "the price that the price gate tests";
    GATE_LIMIT: Money "gate.limit", "价格上限", "the highest price admitted";
    GOODS_NAME_FITS: Bool "goods.name_fits", "发票货物名称与品类相符", "the goods name on the invoice fits the category";
    SUBSIDY_AMOUNT: Money "subsidy.amount", "补贴金额", "the subsidy";
}
