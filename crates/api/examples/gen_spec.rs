fn main(){ std::fs::write("api-spec/openapi.json", api::openapi_json()).unwrap(); std::fs::write("api-spec/problems.md", api::problems_markdown()).unwrap(); }
