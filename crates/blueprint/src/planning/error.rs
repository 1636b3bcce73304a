//! Why an environment has no blueprint.

use ipnet::Ipv4Net;

/// Why an environment has no blueprint. Each is a fact about the settings that only shows once the
/// architecture is laid out, such as more servers than a subnet has addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanningError {
    /// There is no zone to place anything in.
    #[error("`network.zones` is empty: there is no zone to place anything in")]
    NoZones,
    /// The VPC's range has no room for three subnets in each zone.
    #[error("`network.cidr` {cidr} has no room for {wanted} subnets of at least 16 addresses each")]
    VpcTooSmall {
        /// The VPC's range.
        cidr: Ipv4Net,
        /// The number of subnets.
        wanted: usize,
    },
    /// A subnet is not in the VPC, or is smaller than AWS allows.
    #[error("subnet {subnet} is not a part of at least 16 addresses of the VPC {cidr}")]
    SubnetOutsideVpc {
        /// The subnet.
        subnet: Ipv4Net,
        /// The VPC's range.
        cidr: Ipv4Net,
    },
    /// Two subnets overlap.
    #[error("subnets {one} and {other} overlap")]
    SubnetOverlap {
        /// One of them.
        one: Ipv4Net,
        /// The other.
        other: Ipv4Net,
    },
    /// A list of subnets does not have one for each zone.
    #[error("`{key}` lists {found} subnets for {zones} zones")]
    SubnetCount {
        /// The key.
        key: &'static str,
        /// The number of listed subnets.
        found: usize,
        /// The number of zones.
        zones: usize,
    },
    /// A subnet has fewer addresses than it is to hold.
    #[error("subnet `{subnet}` ({cidr}) has no address left for `{name}`")]
    SubnetFull {
        /// The subnet.
        subnet: String,
        /// Its range.
        cidr: Ipv4Net,
        /// What found no address.
        name: String,
    },
    /// An instance type that the kit does not know.
    #[error(
        "cluster `{cluster}`: instance type `{instance_type}` is not known; known are the types of \
         the families {families}"
    )]
    UnknownInstanceType {
        /// The cluster.
        cluster: String,
        /// The type.
        instance_type: String,
        /// The families that are known.
        families: String,
    },
    /// The instance type has another processor architecture than the cluster.
    #[error(
        "cluster `{cluster}`: `{instance_type}` is an {actual} type, but `architecture` says {wanted}"
    )]
    Architecture {
        /// The cluster.
        cluster: String,
        /// The type.
        instance_type: String,
        /// The type's architecture.
        actual: &'static str,
        /// The cluster's.
        wanted: &'static str,
    },
    /// A cluster in a zone that the network does not have.
    #[error("cluster `{cluster}` is in zone `{zone}`, which `network.zones` does not have")]
    UnknownZone {
        /// The cluster.
        cluster: String,
        /// The zone's letter.
        zone: String,
    },
    /// An app on a cluster that is not there.
    #[error("app `{app}` is to run on cluster `{cluster}`, which is not there")]
    UnknownCluster {
        /// The app.
        app: String,
        /// The cluster.
        cluster: String,
    },
    /// An app without anything to run.
    #[error("app `{app}` has neither a preset nor a container")]
    NoContainer {
        /// The app.
        app: String,
    },
    /// A container without anything to run.
    #[error("app `{app}`: container `{container}` has neither an image nor a command")]
    NothingToRun {
        /// The app.
        app: String,
        /// The container.
        container: String,
    },
    /// Nobody can say which container gets the requests.
    #[error(
        "app `{app}`: `routing.container` must name the container that gets the requests, one that \
         has a port"
    )]
    NoRoutedContainer {
        /// The app.
        app: String,
    },
    /// A job, hook or dependency that names a container that the task does not have.
    #[error("app `{app}`: {what} names container `{container}`, which the app does not have")]
    UnknownContainer {
        /// The app.
        app: String,
        /// What names it.
        what: String,
        /// The container.
        container: String,
    },
    /// Containers that wait for each other.
    #[error("app `{app}`: containers {containers} wait for each other")]
    DependencyCycle {
        /// The app.
        app: String,
        /// Their names.
        containers: String,
    },
    /// Two things of one name.
    #[error("two things are named `{name}`: {first} and {second}")]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        first: String,
        /// What would have it as well.
        second: String,
    },
    /// No listener rule is left.
    #[error("the load balancer has no priority left for app `{app}`")]
    NoPriorityLeft {
        /// The app.
        app: String,
    },
}
