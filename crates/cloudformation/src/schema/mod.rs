//! What AWS's resource schemas say of the types that are used here.

mod table;

/// What the schema of a type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeSchema {
    /// The type, such as `AWS::EC2::VPC`.
    pub name: &'static str,
    /// Properties whose change replaces the resource, as paths with `/`; `*` is any item of a list.
    pub create_only: &'static [&'static str],
    /// Properties whose change replaces the resource under conditions that the schema does not say.
    pub conditional_create_only: &'static [&'static str],
    /// What `Fn::GetAtt` can ask for, as paths with `/`.
    pub attributes: &'static [&'static str],
    /// Properties that must be there.
    pub required: &'static [&'static str],
}

/// The schema of a type; none for a type that is not used here.
pub fn of(name: &str) -> Option<&'static TypeSchema> {
    let position = table::TYPES.binary_search_by(|schema| schema.name.cmp(name));
    position.ok().map(|position| &table::TYPES[position])
}

/// The schemas of all types that are used here, by name.
pub fn all() -> &'static [TypeSchema] {
    table::TYPES
}

#[cfg(test)]
mod tests {
    #[test]
    fn types_are_found_by_name() {
        assert!(super::all().is_sorted_by_key(|schema| schema.name));
        let subnet = super::of("AWS::EC2::Subnet").unwrap();
        assert!(subnet.create_only.contains(&"CidrBlock"));
        assert!(subnet.conditional_create_only.contains(&"Ipv6CidrBlock"));
        assert_eq!(super::of("AWS::EC2::Nothing"), None);
    }
}
