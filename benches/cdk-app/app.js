// A store as a CDK app: the same kinds of resources as `mck synth` makes of
// crates/aws-stacks/tests/environments/everything.toml, and about as many.

const cdk = require('aws-cdk-lib');
const {
  aws_applicationautoscaling: scaling, aws_autoscaling: autoscaling, aws_backup: backup,
  aws_certificatemanager: acm, aws_cloudfront: cloudfront, aws_cloudfront_origins: origins,
  aws_cloudwatch: cloudwatch, aws_cloudwatch_actions: actions, aws_ec2: ec2, aws_ecr: ecr,
  aws_ecs: ecs, aws_efs: efs, aws_elasticache: elasticache, aws_elasticloadbalancingv2: elb,
  aws_events: events, aws_events_targets: targets, aws_iam: iam, aws_kms: kms, aws_logs: logs,
  aws_opensearchservice: opensearch, aws_rds: rds, aws_route53: route53, aws_s3: s3,
  aws_secretsmanager: secrets, aws_sns: sns, aws_sns_subscriptions: subscriptions, aws_ssm: ssm,
  aws_wafv2: wafv2,
} = cdk;

const env = { account: '123456789012', region: 'us-east-1' };
const APPS = [
  { name: 'shop', cluster: 'app', jobs: ['cron', 'indexer', 'sitemap'], paths: [] },
  { name: 'admin', cluster: 'admin', jobs: ['cron', 'indexer'], paths: ['/admin*'] },
  { name: 'blog', cluster: 'app', jobs: ['cron'], paths: ['/blog/*'] },
  { name: 'worker', cluster: 'app', jobs: [], internal: true },
];
const VENDORS = ['algolia', 'blackfire-id', 'blackfire-token', 'bugsnag', 'datadog', 'new-relic', 'nosto', 'pingdom'];

class Network extends cdk.Stack {
  // Else the CDK asks AWS for them.
  get availabilityZones() {
    return ['us-east-1a', 'us-east-1b', 'us-east-1c'];
  }

  constructor(app) {
    super(app, 'network', { env });
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr('10.20.0.0/16'),
      maxAzs: 3,
      natGateways: 3,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24 },
        { name: 'app', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 },
        { name: 'persistence', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      flowLogs: { all: { destination: ec2.FlowLogDestination.toCloudWatchLogs(new logs.LogGroup(this, 'FlowLogs')) } },
      gatewayEndpoints: { s3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    });
    new ec2.CfnVPCDHCPOptionsAssociation(this, 'DhcpAssociation', {
      vpcId: this.vpc.vpcId,
      dhcpOptionsId: new ec2.CfnDHCPOptions(this, 'Dhcp', { domainNameServers: ['AmazonProvidedDNS'] }).ref,
    });
    this.zone = new route53.PrivateHostedZone(this, 'PrivateZone', { vpc: this.vpc, zoneName: 'magecloudkit.internal' });
    this.groups = {};
    for (const name of ['load-balancer', 'bastion', 'database', 'redis-cache', 'redis-session', 'memcached', 'search', 'file-system']) {
      this.groups[name] = new ec2.SecurityGroup(this, `Group-${name}`, { vpc: this.vpc, allowAllOutbound: false });
    }
    this.groups['load-balancer'].addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(80));
    this.groups['load-balancer'].addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
    const bastion = new ec2.Instance(this, 'Bastion', {
      vpc: this.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
      instanceType: new ec2.InstanceType('t3.micro'),
      machineImage: ec2.MachineImage.fromSsmParameter('/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id'),
      securityGroup: this.groups.bastion,
      requireImdsv2: true,
      ssmSessionPermissions: true,
    });
    const address = new ec2.CfnEIP(this, 'BastionAddress');
    new ec2.CfnEIPAssociation(this, 'BastionAssociation', { allocationId: address.attrAllocationId, instanceId: bastion.instanceId });
  }
}

class Data extends cdk.Stack {
  constructor(app, network) {
    super(app, 'data', { env, terminationProtection: true });
    const { vpc, groups } = network;
    const persistence = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
    const key = new kms.Key(this, 'Key', { enableKeyRotation: true });
    const instance = { instanceType: ec2.InstanceType.of(ec2.InstanceClass.R6G, ec2.InstanceSize.LARGE) };
    const engine = rds.DatabaseClusterEngine.auroraMysql({ version: rds.AuroraMysqlEngineVersion.VER_3_08_0 });
    this.database = new rds.DatabaseCluster(this, 'Database', {
      engine, vpc, vpcSubnets: persistence, securityGroups: [groups.database], storageEncrypted: true, storageEncryptionKey: key,
      deletionProtection: true, backup: { retention: cdk.Duration.days(7), preferredWindow: '01:00-02:00' },
      writer: rds.ClusterInstance.provisioned('writer', instance),
      readers: [rds.ClusterInstance.provisioned('reader1', instance), rds.ClusterInstance.provisioned('reader2', instance)],
      parameterGroup: new rds.ParameterGroup(this, 'Parameters', { engine, parameters: { log_bin_trust_function_creators: '1' } }),
    });
    const subnets = vpc.selectSubnets(persistence).subnetIds;
    const cacheSubnets = new elasticache.CfnSubnetGroup(this, 'CacheSubnets', { description: 'caches', subnetIds: subnets });
    const names = { db: this.database.clusterEndpoint.hostname, 'db-ro': this.database.clusterReadEndpoint.hostname };
    for (const name of ['redis-cache', 'redis-session']) {
      const auth = new secrets.Secret(this, `Auth-${name}`, { generateSecretString: { excludePunctuation: true } });
      const group = new elasticache.CfnReplicationGroup(this, `Redis-${name}`, {
        replicationGroupDescription: name, engine: 'redis', cacheNodeType: 'cache.t4g.medium', numCacheClusters: 2,
        automaticFailoverEnabled: true, multiAzEnabled: true, atRestEncryptionEnabled: true, transitEncryptionEnabled: true,
        authToken: auth.secretValue.unsafeUnwrap(), cacheSubnetGroupName: cacheSubnets.ref,
        securityGroupIds: [groups[name].securityGroupId],
        cacheParameterGroupName: new elasticache.CfnParameterGroup(this, `Parameters-${name}`, {
          cacheParameterGroupFamily: 'redis7', description: name, properties: { 'maxmemory-policy': name === 'redis-cache' ? 'allkeys-lru' : 'noeviction' },
        }).ref,
      });
      names[name] = group.attrPrimaryEndPointAddress;
    }
    const memcached = new elasticache.CfnCacheCluster(this, 'Memcached', {
      engine: 'memcached', cacheNodeType: 'cache.t4g.small', numCacheNodes: 2, cacheSubnetGroupName: cacheSubnets.ref,
      vpcSecurityGroupIds: [groups.memcached.securityGroupId],
    });
    names.memcached = memcached.attrConfigurationEndpointAddress;
    const search = new opensearch.Domain(this, 'Search', {
      version: opensearch.EngineVersion.OPENSEARCH_2_17, vpc, vpcSubnets: [persistence], securityGroups: [groups.search],
      capacity: { dataNodes: 3, dataNodeInstanceType: 'r6g.large.search', multiAzWithStandbyEnabled: false },
      zoneAwareness: { availabilityZoneCount: 3 }, encryptionAtRest: { enabled: true }, nodeToNodeEncryption: true, enforceHttps: true,
    });
    names.search = search.domainEndpoint;
    this.files = new efs.FileSystem(this, 'Files', {
      vpc, vpcSubnets: persistence, securityGroup: groups['file-system'], encrypted: true, kmsKey: key,
    });
    names['media.efs'] = `${this.files.fileSystemId}.efs.us-east-1.amazonaws.com`;
    const plan = new backup.BackupPlan(this, 'Backups', { backupPlanRules: [backup.BackupPlanRule.daily()] });
    plan.addSelection('Files', { resources: [backup.BackupResource.fromEfsFileSystem(this.files)] });
    for (const [name, domainName] of Object.entries(names)) {
      new route53.CnameRecord(this, `Name-${name}`, { zone: network.zone, recordName: `${name}.us-east-1`, domainName, ttl: cdk.Duration.minutes(5) });
    }
    this.vendors = Object.fromEntries(VENDORS.map((name) => [name, new secrets.Secret(this, `Secret-${name}`)]));
  }
}

class Edge extends cdk.Stack {
  constructor(app, network) {
    super(app, 'edge', { env });
    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      encryption: s3.BucketEncryption.S3_MANAGED, blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL, enforceSSL: true,
      lifecycleRules: [{ expiration: cdk.Duration.days(7) }],
    });
    this.zone = new route53.PublicHostedZone(this, 'PublicZone', { zoneName: 'example.com' });
    const certificate = new acm.Certificate(this, 'Certificate', {
      domainName: 'www.example.com', subjectAlternativeNames: ['shop.example.com', 'ci.example.com'],
      validation: acm.CertificateValidation.fromDns(this.zone),
    });
    this.balancer = new elb.ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc, internetFacing: true, securityGroup: network.groups['load-balancer'], deletionProtection: true, http2Enabled: true,
    });
    this.balancer.logAccessLogs(accessLogs);
    this.balancer.addListener('Http', { port: 80, open: false, defaultAction: elb.ListenerAction.redirect({ protocol: 'HTTPS', port: '443' }) });
    this.https = this.balancer.addListener('Https', {
      port: 443, open: false, certificates: [certificate], sslPolicy: elb.SslPolicy.TLS13_12,
      defaultAction: elb.ListenerAction.fixedResponse(404),
    });
    const acl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT', defaultAction: { allow: {} }, visibilityConfig: { cloudWatchMetricsEnabled: true, metricName: 'acl', sampledRequestsEnabled: true },
      rules: ['AWSManagedRulesCommonRuleSet', 'AWSManagedRulesKnownBadInputsRuleSet', 'AWSManagedRulesSQLiRuleSet'].map((name, priority) => ({
        name, priority, overrideAction: { none: {} }, statement: { managedRuleGroupStatement: { name, vendorName: 'AWS' } },
        visibilityConfig: { cloudWatchMetricsEnabled: true, metricName: name, sampledRequestsEnabled: true },
      })),
    });
    const assets = new s3.Bucket(this, 'Static', { encryption: s3.BucketEncryption.S3_MANAGED, blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL, enforceSSL: true });
    const origin = new origins.LoadBalancerV2Origin(this.balancer);
    const cdn = new cloudfront.Distribution(this, 'Cdn', {
      certificate, domainNames: ['www.example.com', 'shop.example.com'], webAclId: acl.attrArn,
      defaultBehavior: { origin, cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED, allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL },
      additionalBehaviors: {
        '/static/*': { origin, cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED },
        '/media/*': { origin, cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED },
        '/assets/*': { origin: origins.S3BucketOrigin.withOriginAccessControl(assets) },
      },
    });
    for (const name of ['www', 'shop', 'ci']) {
      new route53.CnameRecord(this, `Public-${name}`, { zone: this.zone, recordName: name, domainName: cdn.distributionDomainName });
    }
  }
}

class Observability extends cdk.Stack {
  constructor(app, data, edge) {
    super(app, 'observability', { env });
    this.topic = new sns.Topic(this, 'Alarms', { masterKey: new kms.Key(this, 'Key', { enableKeyRotation: true }) });
    this.topic.addSubscription(new subscriptions.EmailSubscription('ops@example.com'));
    const metrics = [
      edge.balancer.metrics.httpCodeElb(elb.HttpCodeElb.ELB_5XX_COUNT), edge.balancer.metrics.targetResponseTime(),
      edge.balancer.metrics.httpCodeTarget(elb.HttpCodeTarget.TARGET_5XX_COUNT), data.database.metricCPUUtilization(),
      data.database.metricFreeLocalStorage(), data.database.metricDatabaseConnections(), data.database.metric('AuroraReplicaLag'),
      ...['CPUUtilization', 'DatabaseMemoryUsagePercentage', 'Evictions', 'CurrConnections'].flatMap((metricName) =>
        ['redis-cache', 'redis-session', 'memcached'].map((name) =>
          new cloudwatch.Metric({ namespace: 'AWS/ElastiCache', metricName, dimensionsMap: { CacheClusterId: name } }))),
      ...['PercentIOLimit', 'BurstCreditBalance'].map((metricName) =>
        new cloudwatch.Metric({ namespace: 'AWS/EFS', metricName, dimensionsMap: { FileSystemId: data.files.fileSystemId } })),
    ];
    metrics.forEach((metric, index) => alarm(this, `Alarm${index}`, metric, this.topic));
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard');
    metrics.forEach((metric) => dashboard.addWidgets(new cloudwatch.GraphWidget({ left: [metric] })));
  }
}

function alarm(stack, id, metric, topic) {
  const it = new cloudwatch.Alarm(stack, id, { metric, threshold: 80, evaluationPeriods: 3 });
  it.addAlarmAction(new actions.SnsAction(topic));
}

class Cluster extends cdk.Stack {
  constructor(app, name, network, observability) {
    super(app, `cluster-${name}`, { env });
    this.cluster = new ecs.Cluster(this, 'Cluster', { vpc: network.vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });
    this.group = new ec2.SecurityGroup(this, 'Group', { vpc: network.vpc, allowAllOutbound: false });
    this.group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
    const userData = ec2.UserData.forLinux();
    const template = new ec2.LaunchTemplate(this, 'Template', {
      instanceType: new ec2.InstanceType('m7g.xlarge'), machineImage: ecs.EcsOptimizedImage.amazonLinux2023(ecs.AmiHardwareType.ARM),
      userData, securityGroup: this.group, requireImdsv2: true,
      role: new iam.Role(this, 'Role', {
        assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
        managedPolicies: [
          iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonEC2ContainerServiceforEC2Role'),
          iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'),
        ],
      }),
      blockDevices: [{ deviceName: '/dev/xvda', volume: ec2.BlockDeviceVolume.ebs(50, { encrypted: true, volumeType: ec2.EbsDeviceVolumeType.GP3 }) }],
    });
    const group = new autoscaling.AutoScalingGroup(this, 'Servers', {
      vpc: network.vpc, launchTemplate: template, minCapacity: 3, maxCapacity: 9, newInstancesProtectedFromScaleIn: true,
    });
    this.provider = new ecs.AsgCapacityProvider(this, 'Provider', { autoScalingGroup: group, enableManagedTerminationProtection: true, enableManagedDraining: true });
    this.cluster.addAsgCapacityProvider(this.provider);
    new logs.LogGroup(this, 'Logs', { retention: logs.RetentionDays.ONE_MONTH });
    for (const metric of [this.cluster.metricCpuReservation(), this.cluster.metricMemoryReservation()]) {
      alarm(this, `Alarm-${metric.metricName}`, metric, observability.topic);
    }
    const agent = new ecs.Ec2TaskDefinition(this, 'Agent', { networkMode: ecs.NetworkMode.AWS_VPC });
    agent.addContainer('agent', { image: ecs.ContainerImage.fromRegistry('public.ecr.aws/datadog/agent:7'), memoryReservationMiB: 256 });
    new ecs.Ec2Service(this, 'Daemon', { cluster: this.cluster, taskDefinition: agent, daemon: true, minHealthyPercent: 0, circuitBreaker: { rollback: true }, securityGroups: [this.group] });
  }
}

class App extends cdk.Stack {
  constructor(app, { name, jobs, paths, internal }, priority, { network, data, edge, observability, cluster }) {
    super(app, `app-${name}`, { env });
    const group = new ec2.SecurityGroup(this, 'Group', { vpc: network.vpc, allowAllOutbound: false });
    const rule = (id, from, to, port) => {
      new ec2.CfnSecurityGroupEgress(this, `To-${id}`, { groupId: from, destinationSecurityGroupId: to, ipProtocol: 'tcp', fromPort: port, toPort: port });
      new ec2.CfnSecurityGroupIngress(this, `From-${id}`, { groupId: to, sourceSecurityGroupId: from, ipProtocol: 'tcp', fromPort: port, toPort: port });
    };
    const stores = { database: 3306, 'redis-cache': 6379, 'redis-session': 6379, memcached: 11211, search: 443, 'file-system': 2049 };
    for (const [store, port] of Object.entries(stores)) {
      rule(store, group.securityGroupId, network.groups[store].securityGroupId, port);
    }
    rule('balancer', network.groups['load-balancer'].securityGroupId, group.securityGroupId, 80);
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
    const own = ['database-password', 'crypt-key', 'admin-password'].map((it) => [it, new secrets.Secret(this, `Secret-${it}`)]);
    const point = new efs.AccessPoint(this, 'Media', { fileSystem: data.files, path: `/${name}`, createAcl: { ownerUid: '33', ownerGid: '33', permissions: '750' }, posixUser: { uid: '33', gid: '33' } });
    const log = new logs.LogGroup(this, 'Logs', { retention: logs.RetentionDays.ONE_MONTH });
    const repositories = Object.fromEntries(['nginx', 'php-fpm'].map((it) => [it, new ecr.Repository(this, `Repository-${it}`, {
      imageScanOnPush: true, imageTagMutability: ecr.TagMutability.IMMUTABLE, lifecycleRules: [{ maxImageCount: 30 }],
    })]));
    const release = new ssm.StringParameter(this, 'Release', { stringValue: 'none', parameterName: `/shop/production/${name}/release` });
    const task = (id) => {
      const it = new ecs.Ec2TaskDefinition(this, id, {
        networkMode: ecs.NetworkMode.AWS_VPC,
        volumes: [{ name: 'media', efsVolumeConfiguration: { fileSystemId: data.files.fileSystemId, transitEncryption: 'ENABLED', authorizationConfig: { accessPointId: point.accessPointId, iam: 'ENABLED' } } }],
      });
      const environment = Object.fromEntries(['MAGE_MODE', 'CACHE_PREFIX', 'MYSQL_HOST', 'MYSQL_DATABASE', 'MYSQL_USER', 'REDIS_CACHE_HOST',
        'REDIS_SESSION_HOST', 'MAGE_TABLE_PREFIX', 'PHP_MEMORY_LIMIT', 'PHP_PM', 'PHP_PM_MAX_CHILDREN', 'START_SERVERS'].map((key) => [key, key.toLowerCase()]));
      const secret = Object.fromEntries([...own, ...Object.entries(data.vendors)].map(([key, value]) => [key.toUpperCase().replaceAll('-', '_'), ecs.Secret.fromSecretsManager(value)]));
      for (const [container, repository] of Object.entries(repositories)) {
        it.addContainer(container, {
          image: ecs.ContainerImage.fromEcrRepository(repository, release.stringValue), memoryReservationMiB: container === 'nginx' ? 128 : 768, cpu: 256,
          environment, secrets: secret, readonlyRootFilesystem: true, logging: ecs.LogDrivers.awsLogs({ logGroup: log, streamPrefix: container }),
          portMappings: [{ containerPort: container === 'nginx' ? 80 : 9000 }],
        }).addMountPoints({ containerPath: '/var/www/html/pub/media', sourceVolume: 'media', readOnly: false });
      }
      return it;
    };
    const service = new ecs.Ec2Service(this, 'Service', {
      cluster: cluster.cluster, taskDefinition: task('Task'), securityGroups: [group], minHealthyPercent: 100, maxHealthyPercent: 200,
      circuitBreaker: { rollback: true }, capacityProviderStrategies: [{ capacityProvider: cluster.provider.capacityProviderName, weight: 1 }],
      placementStrategies: [ecs.PlacementStrategy.spreadAcross('attribute:ecs.availability-zone'), ecs.PlacementStrategy.packedByMemory()],
    });
    const count = service.autoScaleTaskCount({ minCapacity: 4, maxCapacity: 12 });
    count.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60 });
    count.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 80 });
    if (!internal) {
      const target = new elb.ApplicationTargetGroup(this, 'Targets', {
        vpc: network.vpc, port: 80, protocol: elb.ApplicationProtocol.HTTP, targetType: elb.TargetType.IP,
        healthCheck: { path: '/health_check.php', interval: cdk.Duration.seconds(10), healthyThresholdCount: 3 },
      });
      new elb.CfnListenerRule(this, 'Rule', {
        listenerArn: edge.https.listenerArn, priority,
        actions: [{ type: 'forward', targetGroupArn: target.targetGroupArn }],
        conditions: [{ field: 'host-header', values: ['www.example.com'] }, ...(paths.length ? [{ field: 'path-pattern', values: paths }] : [])],
      });
      alarm(this, 'Unhealthy', new cloudwatch.Metric({ namespace: 'AWS/ApplicationELB', metricName: 'UnHealthyHostCount', dimensionsMap: { TargetGroup: target.targetGroupArn } }), observability.topic);
    }
    alarm(this, 'Cpu', service.metricCpuUtilization(), observability.topic);
    alarm(this, 'Memory', service.metricMemoryUtilization(), observability.topic);
    for (const hook of ['install', 'upgrade', 'cache-flush']) task(`Hook-${hook}`);
    for (const job of jobs) {
      new events.Rule(this, `Schedule-${job}`, {
        schedule: events.Schedule.rate(cdk.Duration.minutes(5)),
        targets: [new targets.EcsTask({ cluster: cluster.cluster, taskDefinition: task(`Job-${job}`), securityGroups: [group] })],
      });
    }
  }
}

class Jenkins extends cdk.Stack {
  constructor(app, network, edge) {
    super(app, 'jenkins', { env });
    const group = new ec2.SecurityGroup(this, 'Group', { vpc: network.vpc, allowAllOutbound: false });
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
    const files = new efs.FileSystem(this, 'Home', { vpc: network.vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED }, encrypted: true });
    files.connections.allowDefaultPortFrom(group);
    const servers = new autoscaling.AutoScalingGroup(this, 'Server', {
      vpc: network.vpc, minCapacity: 1, maxCapacity: 1,
      launchTemplate: new ec2.LaunchTemplate(this, 'Template', {
        instanceType: new ec2.InstanceType('t3.medium'), machineImage: ec2.MachineImage.latestAmazonLinux2023(), securityGroup: group, requireImdsv2: true,
        userData: ec2.UserData.forLinux(), role: new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') }),
      }),
    });
    const target = new elb.ApplicationTargetGroup(this, 'Targets', { vpc: network.vpc, port: 8080, protocol: elb.ApplicationProtocol.HTTP, targets: [servers] });
    new elb.CfnListenerRule(this, 'Rule', {
      listenerArn: edge.https.listenerArn, priority: 900, actions: [{ type: 'forward', targetGroupArn: target.targetGroupArn }],
      conditions: [{ field: 'host-header', values: ['ci.example.com'] }, { field: 'source-ip', values: ['203.0.113.0/24'] }],
    });
  }
}

const app = new cdk.App();
const network = new Network(app);
const data = new Data(app, network);
const edge = new Edge(app, network);
const observability = new Observability(app, data, edge);
const clusters = Object.fromEntries(['app', 'admin'].map((name) => [name, new Cluster(app, name, network, observability)]));
APPS.forEach((it, index) => new App(app, it, index + 1, { network, data, edge, observability, cluster: clusters[it.cluster] }));
new Jenkins(app, network, edge);
app.synth();
