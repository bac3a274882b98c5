// Compute v1 as published: discovery document revision 20261106. Written by
// tests/contract/compute_api.py; not edited by hand. api.h says how it is read.
#include "sim/api.h"

namespace nbform::sim {

const std::string_view kComputeMethods = R"api(
instances.insert POST projects/{project}/zones/{zone}/instances Instance Operation requestId sourceInstanceTemplate
  sourceMachineImage ;
instances.get GET projects/{project}/zones/{zone}/instances/{instance} - Instance ;
instances.list GET projects/{project}/zones/{zone}/instances - InstanceList filter maxResults orderBy pageToken
  returnPartialSuccess ;
instances.aggregatedList GET projects/{project}/aggregated/instances - InstanceAggregatedList filter includeAllScopes
  maxResults orderBy pageToken serviceProjectNumber returnPartialSuccess ;
instances.delete DELETE projects/{project}/zones/{zone}/instances/{instance} - Operation noGracefulShutdown requestId
  ;
instances.start POST projects/{project}/zones/{zone}/instances/{instance}/start - Operation requestId ;
instances.stop POST projects/{project}/zones/{zone}/instances/{instance}/stop - Operation discardLocalSsd
  noGracefulShutdown requestId ;
instances.reset POST projects/{project}/zones/{zone}/instances/{instance}/reset - Operation requestId ;
instances.setLabels POST projects/{project}/zones/{zone}/instances/{instance}/setLabels InstancesSetLabelsRequest
  Operation requestId ;
instances.setMetadata POST projects/{project}/zones/{zone}/instances/{instance}/setMetadata Metadata Operation
  requestId ;
instances.setTags POST projects/{project}/zones/{zone}/instances/{instance}/setTags Tags Operation requestId ;
instances.setMachineType POST projects/{project}/zones/{zone}/instances/{instance}/setMachineType
  InstancesSetMachineTypeRequest Operation requestId ;
instances.setMachineResources POST projects/{project}/zones/{zone}/instances/{instance}/setMachineResources
  InstancesSetMachineResourcesRequest Operation requestId ;
instances.setMinCpuPlatform POST projects/{project}/zones/{zone}/instances/{instance}/setMinCpuPlatform
  InstancesSetMinCpuPlatformRequest Operation requestId ;
instances.setScheduling POST projects/{project}/zones/{zone}/instances/{instance}/setScheduling Scheduling Operation
  requestId ;
instances.setServiceAccount POST projects/{project}/zones/{zone}/instances/{instance}/setServiceAccount
  InstancesSetServiceAccountRequest Operation requestId ;
instances.updateShieldedInstanceConfig PATCH
  projects/{project}/zones/{zone}/instances/{instance}/updateShieldedInstanceConfig ShieldedInstanceConfig Operation
  requestId ;
instances.setDeletionProtection POST projects/{project}/zones/{zone}/instances/{resource}/setDeletionProtection -
  Operation deletionProtection requestId ;
instances.attachDisk POST projects/{project}/zones/{zone}/instances/{instance}/attachDisk AttachedDisk Operation
  forceAttach requestId ;
instances.detachDisk POST projects/{project}/zones/{zone}/instances/{instance}/detachDisk - Operation deviceName!
  requestId ;
instances.setDiskAutoDelete POST projects/{project}/zones/{zone}/instances/{instance}/setDiskAutoDelete - Operation
  autoDelete! deviceName! requestId ;
instances.addAccessConfig POST projects/{project}/zones/{zone}/instances/{instance}/addAccessConfig AccessConfig
  Operation networkInterface! requestId ;
instances.deleteAccessConfig POST projects/{project}/zones/{zone}/instances/{instance}/deleteAccessConfig - Operation
  accessConfig! networkInterface! requestId ;
instances.testIamPermissions POST projects/{project}/zones/{zone}/instances/{resource}/testIamPermissions
  TestPermissionsRequest TestPermissionsResponse ;
instances.getSerialPortOutput GET projects/{project}/zones/{zone}/instances/{instance}/serialPort - SerialPortOutput
  port start ;
instances.getGuestAttributes GET projects/{project}/zones/{zone}/instances/{instance}/getGuestAttributes -
  GuestAttributes queryPath variableKey ;
disks.insert POST projects/{project}/zones/{zone}/disks Disk Operation requestId sourceImage ;
disks.get GET projects/{project}/zones/{zone}/disks/{disk} - Disk ;
disks.list GET projects/{project}/zones/{zone}/disks - DiskList filter maxResults orderBy pageToken
  returnPartialSuccess ;
disks.aggregatedList GET projects/{project}/aggregated/disks - DiskAggregatedList filter includeAllScopes maxResults
  orderBy pageToken serviceProjectNumber returnPartialSuccess ;
disks.delete DELETE projects/{project}/zones/{zone}/disks/{disk} - Operation requestId ;
disks.resize POST projects/{project}/zones/{zone}/disks/{disk}/resize DisksResizeRequest Operation requestId ;
disks.setLabels POST projects/{project}/zones/{zone}/disks/{resource}/setLabels ZoneSetLabelsRequest Operation
  requestId ;
disks.testIamPermissions POST projects/{project}/zones/{zone}/disks/{resource}/testIamPermissions
  TestPermissionsRequest TestPermissionsResponse ;
diskTypes.get GET projects/{project}/zones/{zone}/diskTypes/{diskType} - DiskType ;
diskTypes.list GET projects/{project}/zones/{zone}/diskTypes - DiskTypeList filter maxResults orderBy pageToken
  returnPartialSuccess ;
diskTypes.aggregatedList GET projects/{project}/aggregated/diskTypes - DiskTypeAggregatedList filter includeAllScopes
  maxResults orderBy pageToken serviceProjectNumber returnPartialSuccess ;
images.get GET projects/{project}/global/images/{image} - Image ;
images.getFromFamily GET projects/{project}/global/images/family/{family} - Image ;
images.list GET projects/{project}/global/images - ImageList filter maxResults orderBy pageToken returnPartialSuccess
  ;
imageFamilyViews.get GET projects/{project}/zones/{zone}/imageFamilyViews/{family} - ImageFamilyView ;
machineTypes.get GET projects/{project}/zones/{zone}/machineTypes/{machineType} - MachineType ;
machineTypes.list GET projects/{project}/zones/{zone}/machineTypes - MachineTypeList filter maxResults orderBy
  pageToken returnPartialSuccess ;
machineTypes.aggregatedList GET projects/{project}/aggregated/machineTypes - MachineTypeAggregatedList filter
  includeAllScopes maxResults orderBy pageToken serviceProjectNumber returnPartialSuccess ;
acceleratorTypes.get GET projects/{project}/zones/{zone}/acceleratorTypes/{acceleratorType} - AcceleratorType ;
acceleratorTypes.list GET projects/{project}/zones/{zone}/acceleratorTypes - AcceleratorTypeList filter maxResults
  orderBy pageToken returnPartialSuccess ;
acceleratorTypes.aggregatedList GET projects/{project}/aggregated/acceleratorTypes - AcceleratorTypeAggregatedList
  filter includeAllScopes maxResults orderBy pageToken serviceProjectNumber returnPartialSuccess ;
zones.get GET projects/{project}/zones/{zone} - Zone ;
zones.list GET projects/{project}/zones - ZoneList filter maxResults orderBy pageToken returnPartialSuccess ;
regions.get GET projects/{project}/regions/{region} - Region ;
regions.list GET projects/{project}/regions - RegionList filter maxResults orderBy pageToken returnPartialSuccess ;
projects.get GET projects/{project} - Project ;
networks.get GET projects/{project}/global/networks/{network} - Network ;
networks.list GET projects/{project}/global/networks - NetworkList filter maxResults orderBy pageToken
  returnPartialSuccess ;
firewalls.insert POST projects/{project}/global/firewalls Firewall Operation requestId ;
firewalls.get GET projects/{project}/global/firewalls/{firewall} - Firewall ;
firewalls.list GET projects/{project}/global/firewalls - FirewallList filter maxResults orderBy pageToken
  returnPartialSuccess ;
firewalls.patch PATCH projects/{project}/global/firewalls/{firewall} Firewall Operation requestId ;
firewalls.update PUT projects/{project}/global/firewalls/{firewall} Firewall Operation requestId ;
firewalls.delete DELETE projects/{project}/global/firewalls/{firewall} - Operation requestId ;
subnetworks.get GET projects/{project}/regions/{region}/subnetworks/{subnetwork} - Subnetwork views ;
subnetworks.list GET projects/{project}/regions/{region}/subnetworks - SubnetworkList filter maxResults orderBy
  pageToken views returnPartialSuccess ;
zoneOperations.get GET projects/{project}/zones/{zone}/operations/{operation} - Operation ;
zoneOperations.list GET projects/{project}/zones/{zone}/operations - OperationList filter maxResults orderBy pageToken
  returnPartialSuccess ;
zoneOperations.wait POST projects/{project}/zones/{zone}/operations/{operation}/wait - Operation ;
zoneOperations.delete DELETE projects/{project}/zones/{zone}/operations/{operation} - - ;
regionOperations.get GET projects/{project}/regions/{region}/operations/{operation} - Operation ;
regionOperations.list GET projects/{project}/regions/{region}/operations - OperationList filter maxResults orderBy
  pageToken returnPartialSuccess ;
regionOperations.wait POST projects/{project}/regions/{region}/operations/{operation}/wait - Operation ;
regionOperations.delete DELETE projects/{project}/regions/{region}/operations/{operation} - - ;
globalOperations.get GET projects/{project}/global/operations/{operation} - Operation ;
globalOperations.list GET projects/{project}/global/operations - OperationList filter maxResults orderBy pageToken
  returnPartialSuccess ;
globalOperations.wait POST projects/{project}/global/operations/{operation}/wait - Operation ;
globalOperations.delete DELETE projects/{project}/global/operations/{operation} - - ;
globalOperations.aggregatedList GET projects/{project}/aggregated/operations - OperationAggregatedList filter
  includeAllScopes maxResults orderBy pageToken serviceProjectNumber returnPartialSuccess ;
)api";

const std::string_view kComputeMessages = R"api(
AcceleratorConfig acceleratorCount:int32 acceleratorType:string ;
AcceleratorType creationTimestamp:string deprecated:DeprecationStatus description:string id:int64 kind:string
  maximumCardsPerInstance:int32 name:string resourceMetadata:ResourceMetadata selfLink:string zone:string ;
AcceleratorTypeAggregatedList id:string items:{AcceleratorTypesScopedList} kind:string nextPageToken:string
  selfLink:string unreachables:[string] warning:Warning ;
AcceleratorTypeList id:string items:[AcceleratorType] kind:string nextPageToken:string selfLink:string warning:Warning
  ;
AcceleratorTypesScopedList acceleratorTypes:[AcceleratorType] warning:Warning ;
AccessConfig externalIpv6:string externalIpv6PrefixLength:int32 ipCollection:string kind:string name:string
  natIP:string networkTier:=FIXED_STANDARD|PREMIUM|STANDARD|STANDARD_OVERRIDES_FIXED_STANDARD
  publicPtrDomainName:string securityPolicy:string setPublicPtr:bool type:=DIRECT_IPV6|ONE_TO_ONE_NAT ;
AdvancedMachineFeatures enableNestedVirtualization:bool enableUefiNetworking:bool
  performanceMonitoringUnit:=ARCHITECTURAL|ENHANCED|PERFORMANCE_MONITORING_UNIT_UNSPECIFIED|STANDARD
  threadsPerCore:int32 turboMode:string visibleCoreCount:int32 ;
AliasIpRange ipCidrRange:string subnetworkRangeName:string ;
AttachedDisk architecture:=ARCHITECTURE_UNSPECIFIED|ARM64|X86_64 autoDelete:bool boot:bool deviceName:string
  diskEncryptionKey:CustomerEncryptionKey diskSizeGb:int64 forceAttach:bool guestOsFeatures:[GuestOsFeature]
  index:int32 initializeParams:AttachedDiskInitializeParams interface:=NVME|SCSI kind:string licenses:[string]
  mode:=READ_ONLY|READ_WRITE savedState:=DISK_SAVED_STATE_UNSPECIFIED|PRESERVED
  shieldedInstanceInitialState:InitialStateConfig source:string type:=PERSISTENT|SCRATCH ;
AttachedDiskInitializeParams architecture:=ARCHITECTURE_UNSPECIFIED|ARM64|X86_64 description:string diskName:string
  diskSizeGb:int64 diskType:string enableConfidentialCompute:bool labels:{string} licenses:[string]
  onUpdateAction:=RECREATE_DISK|RECREATE_DISK_IF_SOURCE_CHANGED|USE_EXISTING_DISK provisionedIops:int64
  provisionedThroughput:int64 replicaZones:[string] resourceManagerTags:{string} resourcePolicies:[string]
  sourceImage:string sourceImageEncryptionKey:CustomerEncryptionKey sourceSnapshot:string
  sourceSnapshotEncryptionKey:CustomerEncryptionKey storagePool:string ;
BulkInsertOperationStatus createdVmCount:int32 deletedVmCount:int32 failedToCreateVmCount:int32
  status:=CREATING|DONE|ROLLING_BACK|STATUS_UNSPECIFIED targetVmCount:int32 ;
BundledLocalSsds defaultInterface:string partitionCount:int32 ;
ConfidentialInstanceConfig confidentialInstanceType:=BMSAI|CCA|CONFIDENTIAL_INSTANCE_TYPE_UNSPECIFIED|SEV|SEV_SNP|TDX
  confidentialParavisorConfig:ConfidentialParavisorConfig enableConfidentialCompute:bool ;
ConfidentialParavisorConfig confidentialTpmType:=CONFIDENTIAL_TPM_TYPE_UNSPECIFIED|EPHEMERAL|NO_CC_TPM
  sevSnpIrqMode:=RESTRICTED|SEV_SNP_IRQ_MODE_UNSPECIFIED|UNRESTRICTED ;
CustomerEncryptionKey kmsKeyName:string kmsKeyServiceAccount:string rawKey:string rsaEncryptedKey:string sha256:string
  ;
DateTime day:int32 hours:int32 minutes:int32 month:int32 nanos:int32 seconds:int32 timeZone:TimeZone utcOffset:string
  year:int32 ;
DeprecationStatus deleted:string deprecated:string obsolete:string replacement:string
  state:=ACTIVE|DELETED|DEPRECATED|OBSOLETE ;
Disk accessMode:=READ_ONLY_MANY|READ_WRITE_MANY|READ_WRITE_SINGLE architecture:=ARCHITECTURE_UNSPECIFIED|ARM64|X86_64
  asyncPrimaryDisk:DiskAsyncReplication asyncSecondaryDisks:{DiskAsyncReplicationList} creationTimestamp:string
  description:string diskEncryptionKey:CustomerEncryptionKey enableConfidentialCompute:bool
  guestOsFeatures:[GuestOsFeature] id:int64 kind:string labelFingerprint:bytes labels:{string}
  lastAttachTimestamp:string lastDetachTimestamp:string licenseCodes:[int64] licenses:[string] locationHint:string
  name:string options:string params:DiskParams physicalBlockSizeBytes:int64 provisionedIops:int64
  provisionedThroughput:int64 region:string replicaZones:[string] resourcePolicies:[string]
  resourceStatus:DiskResourceStatus satisfiesPzi:bool satisfiesPzs:bool selfLink:string sizeGb:int64
  sourceConsistencyGroupPolicy:string sourceConsistencyGroupPolicyId:string sourceDisk:string sourceDiskId:string
  sourceImage:string sourceImageEncryptionKey:CustomerEncryptionKey sourceImageId:string sourceInstantSnapshot:string
  sourceInstantSnapshotId:string sourceMachineImage:string sourceMachineImageDiskDeviceName:string
  sourceMachineImageEncryptionKey:CustomerEncryptionKey sourceMachineImageId:string sourceSnapshot:string
  sourceSnapshotEncryptionKey:CustomerEncryptionKey sourceSnapshotId:string sourceStorageObject:string
  status:=CREATING|DELETING|FAILED|READY|RESTORING|UNAVAILABLE storagePool:string type:string users:[string]
  zone:string ;
DiskAggregatedList id:string items:{DisksScopedList} kind:string nextPageToken:string selfLink:string
  unreachables:[string] warning:Warning ;
DiskAsyncReplication consistencyGroupPolicy:string consistencyGroupPolicyId:string disk:string diskId:string ;
DiskAsyncReplicationList asyncReplicationDisk:DiskAsyncReplication ;
DiskList id:string items:[Disk] kind:string nextPageToken:string selfLink:string warning:Warning ;
DiskParams resourceManagerTags:{string} ;
DiskResourceStatus asyncPrimaryDisk:DiskResourceStatusAsyncReplicationStatus
  asyncSecondaryDisks:{DiskResourceStatusAsyncReplicationStatus} ;
DiskResourceStatusAsyncReplicationStatus state:=ACTIVE|CREATED|STARTING|STATE_UNSPECIFIED|STOPPED|STOPPING ;
DiskType creationTimestamp:string defaultDiskSizeGb:int64 deprecated:DeprecationStatus description:string id:int64
  kind:string name:string region:string selfLink:string validDiskSize:string zone:string ;
DiskTypeAggregatedList id:string items:{DiskTypesScopedList} kind:string nextPageToken:string selfLink:string
  unreachables:[string] warning:Warning ;
DiskTypeList id:string items:[DiskType] kind:string nextPageToken:string selfLink:string warning:Warning ;
DiskTypesScopedList diskTypes:[DiskType] warning:Warning ;
DisksResizeRequest sizeGb:int64 ;
DisksScopedList disks:[Disk] warning:Warning ;
DisplayDevice enableDisplay:bool ;
Duration nanos:int32 seconds:int64 ;
ErrorInfo domain:string metadatas:{string} reason:string ;
FileContentBuffer content:bytes fileType:=BIN|UNDEFINED|X509 ;
Firewall allowed:[FirewallAllowedItem] creationTimestamp:string denied:[FirewallDeniedItem] description:string
  destinationRanges:[string] direction:=EGRESS|INGRESS disabled:bool id:int64 kind:string logConfig:FirewallLogConfig
  name:string network:string params:FirewallParams priority:int32 selfLink:string sourceRanges:[string]
  sourceServiceAccounts:[string] sourceTags:[string] targetServiceAccounts:[string] targetTags:[string] ;
FirewallAllowedItem IPProtocol:string ports:[string] ;
FirewallDeniedItem IPProtocol:string ports:[string] ;
FirewallList id:string items:[Firewall] kind:string nextPageToken:string selfLink:string warning:Warning ;
FirewallLogConfig enable:bool metadata:=EXCLUDE_ALL_METADATA|INCLUDE_ALL_METADATA ;
FirewallParams resourceManagerTags:{string} ;
GetHealthOperationMetadata healthInfo:GetHealthOperationMetadataHealthInfo ;
GetHealthOperationMetadataHealthInfo
  availabilitySloStatus:=AVAILABILITY_SLO_STATUS_IN_SLO|AVAILABILITY_SLO_STATUS_OUT_OF_SLO|AVAILABILITY_SLO_STATUS_SLO_UNKNOWN|AVAILABILITY_SLO_STATUS_UNSPECIFIED
  healthStatus:=HEALTH_STATUS_HEALTHY|HEALTH_STATUS_UNHEALTHY|HEALTH_STATUS_UNSPECIFIED
  repairCategory:=REPAIR_CATEGORY_CRITICAL_FAILURE|REPAIR_CATEGORY_EMERGENT_MAINTENANCE|REPAIR_CATEGORY_PLANNED_MAINTENANCE|REPAIR_CATEGORY_UNSPECIFIED|REPAIR_CATEGORY_USER_REPORTED_FAULT
  unhealthyReason:=UNHEALTHY_REASON_PENDING_USER_APPROVAL|UNHEALTHY_REASON_REPAIRING|UNHEALTHY_REASON_UNSCHEDULABLE|UNHEALTHY_REASON_UNSPECIFIED
  updateTime:string ;
GetVersionOperationMetadata inlineSbomInfo:GetVersionOperationMetadataSbomInfo ;
GetVersionOperationMetadataSbomInfo currentComponentVersions:{string} targetComponentVersions:{string} ;
GuestAttributes kind:string queryPath:string queryValue:GuestAttributesValue selfLink:string variableKey:string
  variableValue:string ;
GuestAttributesEntry key:string namespace:string value:string ;
GuestAttributesValue items:[GuestAttributesEntry] ;
GuestOsFeature
  type:=BARE_METAL_LINUX_COMPATIBLE|BMSAI_CAPABLE|CCA_CAPABLE|FEATURE_TYPE_UNSPECIFIED|GVNIC|IDPF|MULTI_IP_SUBNET|SECURE_BOOT|SEV_CAPABLE|SEV_LIVE_MIGRATABLE|SEV_LIVE_MIGRATABLE_V2|SEV_SNP_CAPABLE|SNP_SVSM_CAPABLE|SUSPEND_SAFE_FPR|TDX_CAPABLE|UEFI_COMPATIBLE|VIRTIO_SCSI_MULTIQUEUE|WINDOWS
  ;
Help links:[HelpLink] ;
HelpLink description:string url:string ;
Image architecture:=ARCHITECTURE_UNSPECIFIED|ARM64|X86_64 archiveSizeBytes:int64 creationTimestamp:string
  deprecated:DeprecationStatus description:string diskSizeGb:int64 enableConfidentialCompute:bool family:string
  guestOsFeatures:[GuestOsFeature] id:int64 imageEncryptionKey:CustomerEncryptionKey kind:string
  labelFingerprint:bytes labels:{string} licenseCodes:[int64] licenses:[string] name:string params:ImageParams
  rawDisk:ImageRawDisk satisfiesPzi:bool satisfiesPzs:bool selfLink:string
  shieldedInstanceInitialState:InitialStateConfig sourceDisk:string sourceDiskEncryptionKey:CustomerEncryptionKey
  sourceDiskId:string sourceImage:string sourceImageEncryptionKey:CustomerEncryptionKey sourceImageId:string
  sourceSnapshot:string sourceSnapshotEncryptionKey:CustomerEncryptionKey sourceSnapshotId:string sourceType:=RAW
  status:=DELETING|FAILED|PENDING|READY storageLocations:[string] ;
ImageFamilyView image:Image ;
ImageList id:string items:[Image] kind:string nextPageToken:string selfLink:string warning:Warning ;
ImageParams resourceManagerTags:{string} ;
ImageRawDisk containerType:=TAR sha1Checksum:string source:string ;
InitialStateConfig dbs:[FileContentBuffer] dbxs:[FileContentBuffer] keks:[FileContentBuffer] pk:FileContentBuffer ;
Instance advancedMachineFeatures:AdvancedMachineFeatures canIpForward:bool
  confidentialInstanceConfig:ConfidentialInstanceConfig cpuPlatform:string creationTimestamp:string
  deletionProtection:bool description:string disks:[AttachedDisk] displayDevice:DisplayDevice fingerprint:bytes
  guestAccelerators:[AcceleratorConfig] hostname:string id:int64 instanceEncryptionKey:CustomerEncryptionKey
  keyRevocationActionType:=KEY_REVOCATION_ACTION_TYPE_UNSPECIFIED|NONE|STOP kind:string labelFingerprint:bytes
  labels:{string} lastStartTimestamp:string lastStopTimestamp:string lastSuspendedTimestamp:string
  localSsdEncryptionMode:=EPHEMERAL_KEY_ENCRYPTION|LOCAL_SSD_ENCRYPTION_MODE_UNSPECIFIED|STANDARD_ENCRYPTION
  machineType:string metadata:Metadata minCpuPlatform:string name:string networkInterfaces:[NetworkInterface]
  networkPerformanceConfig:NetworkPerformanceConfig params:InstanceParams
  privateIpv6GoogleAccess:=ENABLE_BIDIRECTIONAL_ACCESS_TO_GOOGLE|ENABLE_OUTBOUND_VM_ACCESS_TO_GOOGLE|INHERIT_FROM_SUBNETWORK
  reservationAffinity:ReservationAffinity resourcePolicies:[string] resourceStatus:ResourceStatus satisfiesPzi:bool
  satisfiesPzs:bool scheduling:Scheduling selfLink:string serviceAccounts:[ServiceAccount]
  shieldedInstanceConfig:ShieldedInstanceConfig shieldedInstanceIntegrityPolicy:ShieldedInstanceIntegrityPolicy
  sourceMachineImage:string sourceMachineImageEncryptionKey:CustomerEncryptionKey startRestricted:bool
  status:=DEPROVISIONING|PENDING|PENDING_STOP|PROVISIONING|REPAIRING|RUNNING|STAGING|STOPPED|STOPPING|SUSPENDED|SUSPENDING|TERMINATED
  statusMessage:string tags:Tags workloadIdentityConfig:WorkloadIdentityConfig zone:string ;
InstanceAggregatedList id:string items:{InstancesScopedList} kind:string nextPageToken:string selfLink:string
  unreachables:[string] warning:Warning ;
InstanceList id:string items:[Instance] kind:string nextPageToken:string selfLink:string warning:Warning ;
InstanceParams requestValidForDuration:Duration resourceManagerTags:{string} ;
InstancesBulkInsertOperationMetadata perLocationStatus:{BulkInsertOperationStatus} ;
InstancesScopedList instances:[Instance] warning:Warning ;
InstancesSetLabelsRequest labelFingerprint:bytes labels:{string} ;
InstancesSetMachineResourcesRequest guestAccelerators:[AcceleratorConfig] ;
InstancesSetMachineTypeRequest machineType:string ;
InstancesSetMinCpuPlatformRequest minCpuPlatform:string ;
InstancesSetServiceAccountRequest email:string scopes:[string] ;
LocalizedMessage locale:string message:string ;
MachineType accelerators:[MachineTypeAcceleratorsItem] architecture:=ARCHITECTURE_UNSPECIFIED|ARM64|X86_64
  bundledLocalSsds:BundledLocalSsds creationTimestamp:string deprecated:DeprecationStatus description:string
  guestCpus:int32 id:int64 imageSpaceGb:int32 isSharedCpu:bool kind:string maximumPersistentDisks:int32
  maximumPersistentDisksSizeGb:int64 memoryMb:int32 name:string selfLink:string zone:string ;
MachineTypeAcceleratorsItem guestAcceleratorCount:int32 guestAcceleratorType:string ;
MachineTypeAggregatedList id:string items:{MachineTypesScopedList} kind:string nextPageToken:string selfLink:string
  unreachables:[string] warning:Warning ;
MachineTypeList id:string items:[MachineType] kind:string nextPageToken:string selfLink:string warning:Warning ;
MachineTypesScopedList machineTypes:[MachineType] warning:Warning ;
Metadata fingerprint:bytes items:[MetadataItemsItem] kind:string ;
MetadataItemsItem key:string value:string ;
Network IPv4Range:string additionalTags:[string] autoCreateSubnetworks:bool creationTimestamp:string
  description:string enableUlaInternalIpv6:bool firewallPolicy:string gatewayIPv4:string id:int64
  internalIpv6Range:string kind:string mtu:int32 name:string
  networkFirewallPolicyEnforcementOrder:=AFTER_CLASSIC_FIREWALL|BEFORE_CLASSIC_FIREWALL networkProfile:string
  params:NetworkParams peerings:[NetworkPeering] routingConfig:NetworkRoutingConfig selfLink:string
  selfLinkWithId:string subnetworks:[string] ;
NetworkInterface accessConfigs:[AccessConfig] aliasIpRanges:[AliasIpRange] aliasIpv6Ranges:[AliasIpRange]
  enableVpcScopedDns:bool fingerprint:bytes igmpQuery:=IGMP_QUERY_DISABLED|IGMP_QUERY_V2
  internalIpv6PrefixLength:int32 ipv6AccessConfigs:[AccessConfig] ipv6AccessType:=EXTERNAL|INTERNAL ipv6Address:string
  kind:string name:string network:string networkAttachment:string networkIP:string
  nicType:=GVNIC|IDPF|IRDMA|MRDMA|UNSPECIFIED_NIC_TYPE|VIRTIO_NET parentNicName:string queueCount:int32
  serviceClassId:string stackType:=IPV4_IPV6|IPV4_ONLY|IPV6_ONLY subnetwork:string vlan:int32 ;
NetworkList id:string items:[Network] kind:string nextPageToken:string selfLink:string warning:Warning ;
NetworkParams resourceManagerTags:{string} ;
NetworkPeering autoCreateRoutes:bool connectionStatus:NetworkPeeringConnectionStatus exchangeSubnetRoutes:bool
  exportCustomRoutes:bool exportSubnetRoutesWithPublicIp:bool importCustomRoutes:bool
  importSubnetRoutesWithPublicIp:bool name:string network:string peerMtu:int32 stackType:=IPV4_IPV6|IPV4_ONLY
  state:=ACTIVE|INACTIVE stateDetails:string updateStrategy:=CONSENSUS|INDEPENDENT|UNSPECIFIED ;
NetworkPeeringConnectionStatus consensusState:NetworkPeeringConnectionStatusConsensusState
  trafficConfiguration:NetworkPeeringConnectionStatusTrafficConfiguration
  updateStrategy:=CONSENSUS|INDEPENDENT|UNSPECIFIED ;
NetworkPeeringConnectionStatusConsensusState
  deleteStatus:=DELETE_ACKNOWLEDGED|DELETE_STATUS_UNSPECIFIED|LOCAL_CANCEL_REQUESTED|LOCAL_DELETE_REQUESTED|PEER_CANCEL_REQUESTED|PEER_DELETE_REQUESTED
  updateStatus:=IN_SYNC|PENDING_LOCAL_ACKNOWLEDMENT|PENDING_PEER_ACKNOWLEDGEMENT|UPDATE_STATUS_UNSPECIFIED ;
NetworkPeeringConnectionStatusTrafficConfiguration exportCustomRoutesToPeer:bool
  exportSubnetRoutesWithPublicIpToPeer:bool importCustomRoutesFromPeer:bool
  importSubnetRoutesWithPublicIpFromPeer:bool stackType:=IPV4_IPV6|IPV4_ONLY ;
NetworkPerformanceConfig totalEgressBandwidthTier:=DEFAULT|TIER_1 ;
NetworkRoutingConfig bgpAlwaysCompareMed:bool bgpBestPathSelectionMode:=LEGACY|STANDARD
  bgpInterRegionCost:=ADD_COST_TO_MED|DEFAULT effectiveBgpAlwaysCompareMed:bool
  effectiveBgpInterRegionCost:=ADD_COST_TO_MED|DEFAULT routingMode:=GLOBAL|REGIONAL ;
Operation clientOperationId:string creationTimestamp:string description:string endTime:string error:OperationError
  getHealthOperationMetadata:GetHealthOperationMetadata getVersionOperationMetadata:GetVersionOperationMetadata
  httpErrorMessage:string httpErrorStatusCode:int32 id:int64 insertTime:string
  instancesBulkInsertOperationMetadata:InstancesBulkInsertOperationMetadata kind:string name:string
  operationGroupId:string operationType:string progress:int32 region:string selfLink:string
  setCommonInstanceMetadataOperationMetadata:SetCommonInstanceMetadataOperationMetadata startTime:string
  status:=DONE|PENDING|RUNNING statusMessage:string targetId:int64 targetLink:string user:string warnings:[Warning]
  zone:string ;
OperationAggregatedList id:string items:{OperationsScopedList} kind:string nextPageToken:string selfLink:string
  unreachables:[string] warning:Warning ;
OperationError errors:[OperationErrorErrorsItem] ;
OperationErrorErrorsItem code:string errorDetails:[OperationErrorErrorsItemErrorDetailsItem] location:string
  message:string ;
OperationErrorErrorsItemErrorDetailsItem errorInfo:ErrorInfo help:Help localizedMessage:LocalizedMessage
  quotaInfo:QuotaExceededInfo ;
OperationList id:string items:[Operation] kind:string nextPageToken:string selfLink:string warning:Warning ;
OperationsScopedList operations:[Operation] warning:Warning ;
PeriodicPartialMaintenanceSchedule
  subType:=MAINTENANCE_SUBTYPE_UNSPECIFIED|MAINTENANCE_TYPE_CUSTOMER_MAINTENANCE|MAINTENANCE_TYPE_DISRUPTIVE_UPGRADE|MAINTENANCE_TYPE_STABLE|MAINTENANCE_TYPE_TRANSITION
  targetResource:string type:=MAINTENANCE_TYPE_UNSPECIFIED|PRIVATE_ZONE_MAINTENANCE windowEndTime:DateTime
  windowStartTime:DateTime ;
Project cloudArmorTier:=CA_ENTERPRISE_ANNUAL|CA_ENTERPRISE_PAYGO|CA_STANDARD commonInstanceMetadata:Metadata
  creationTimestamp:string defaultNetworkTier:=FIXED_STANDARD|PREMIUM|STANDARD|STANDARD_OVERRIDES_FIXED_STANDARD
  defaultServiceAccount:string description:string enabledFeatures:[string] id:int64 kind:string name:string
  quotas:[Quota] selfLink:string usageExportLocation:UsageExportLocation
  vmDnsSetting:=GLOBAL_DEFAULT|UNSPECIFIED_VM_DNS_SETTING|ZONAL_DEFAULT|ZONAL_ONLY
  xpnProjectStatus:=HOST|UNSPECIFIED_XPN_PROJECT_STATUS ;
Quota limit:double metric:string owner:string usage:double ;
QuotaExceededInfo dimensions:{string} futureLimit:double limit:double limitName:string metricName:string
  rolloutStatus:=IN_PROGRESS|ROLLOUT_STATUS_UNSPECIFIED ;
Region creationTimestamp:string deprecated:DeprecationStatus description:string id:int64 kind:string name:string
  quotaStatusWarning:Warning quotas:[Quota] selfLink:string status:=DOWN|UP supportsPzs:bool zones:[string] ;
RegionList id:string items:[Region] kind:string nextPageToken:string selfLink:string warning:Warning ;
ReservationAffinity consumeReservationType:=ANY_RESERVATION|NO_RESERVATION|SPECIFIC_RESERVATION|UNSPECIFIED key:string
  values:[string] ;
ResourceMetadata apiVersion:string resourceType:string ;
ResourceStatus effectiveInstanceMetadata:ResourceStatusEffectiveInstanceMetadata physicalHost:string
  physicalHostTopology:ResourceStatusPhysicalHostTopology
  reservationConsumptionInfo:ResourceStatusReservationConsumptionInfo scheduling:ResourceStatusScheduling
  shutdownDetails:ResourceStatusShutdownDetails upcomingMaintenance:UpcomingMaintenance ;
ResourceStatusEffectiveInstanceMetadata blockProjectSshKeysMetadataValue:bool enableGuestAttributesMetadataValue:bool
  enableOsInventoryMetadataValue:bool enableOsconfigMetadataValue:bool enableOsloginMetadataValue:bool
  gceContainerDeclarationMetadataValue:bool serialPortEnableMetadataValue:bool
  serialPortLoggingEnableMetadataValue:bool vmDnsSettingMetadataValue:string ;
ResourceStatusPhysicalHostTopology additionalAttributes:ResourceStatusPhysicalHostTopologyAdditionalAttributes
  block:string cluster:string host:string subblock:string ;
ResourceStatusPhysicalHostTopologyAdditionalAttributes acceleratorTopologyIds:{string} ;
ResourceStatusReservationConsumptionInfo consumedReservation:string consumedReservationBlock:string
  consumedReservationSubBlock:string ;
ResourceStatusScheduling availabilityDomain:int32 gracefulShutdownTimestamp:string
  protectionTier:=PROTECTION_TIER_CAPACITY_OPTIMIZED|PROTECTION_TIER_STANDARD|PROTECTION_TIER_UNSPECIFIED
  terminationTimestamp:string ;
ResourceStatusShutdownDetails maxDuration:Duration requestTimestamp:string stopState:=PENDING_STOP|STOPPING
  targetState:=DELETED|STOPPED ;
Scheduling automaticRestart:bool availabilityDomain:int32 exposeHostTopology:bool
  gracefulShutdown:SchedulingGracefulShutdown hostErrorTimeoutSeconds:int32
  instanceTerminationAction:=DELETE|INSTANCE_TERMINATION_ACTION_UNSPECIFIED|STOP localSsdRecoveryTimeout:Duration
  locationHint:string maxRunDuration:Duration minNodeCpus:int32 nodeAffinities:[SchedulingNodeAffinity]
  onHostMaintenance:=MIGRATE|TERMINATE onInstanceStopAction:SchedulingOnInstanceStopAction preemptible:bool
  preemptionNoticeDuration:Duration
  protectionTier:=PROTECTION_TIER_CAPACITY_OPTIMIZED|PROTECTION_TIER_STANDARD|PROTECTION_TIER_UNSPECIFIED
  provisioningModel:=FLEX_START|RESERVATION_BOUND|SPOT|STANDARD skipGuestOsShutdown:bool terminationTime:string ;
SchedulingGracefulShutdown enabled:bool maxDuration:Duration ;
SchedulingNodeAffinity key:string operator:=IN|NOT_IN|OPERATOR_UNSPECIFIED values:[string] ;
SchedulingOnInstanceStopAction discardLocalSsd:bool ;
SerialPortOutput contents:string kind:string next:int64 selfLink:string start:int64 ;
ServiceAccount email:string scopes:[string] ;
SetCommonInstanceMetadataOperationMetadata clientOperationId:string
  perLocationOperations:{SetCommonInstanceMetadataOperationMetadataPerLocationOperationInfo} ;
SetCommonInstanceMetadataOperationMetadataPerLocationOperationInfo error:Status
  state:=ABANDONED|DONE|FAILED|PROPAGATED|PROPAGATING|UNSPECIFIED ;
ShieldedInstanceConfig enableIntegrityMonitoring:bool enableSecureBoot:bool enableVtpm:bool ;
ShieldedInstanceIntegrityPolicy updateAutoLearnPolicy:bool ;
Status code:int32 details:[{any}] message:string ;
Subnetwork allowSubnetCidrRoutesOverlap:bool creationTimestamp:string description:string enableFlowLogs:bool
  externalIpv6Prefix:string fingerprint:bytes gatewayAddress:string id:int64 internalIpv6Prefix:string
  ipCidrRange:string ipCollection:string ipv6AccessType:=EXTERNAL|INTERNAL ipv6CidrRange:string
  ipv6GceEndpoint:=VM_AND_FR|VM_ONLY kind:string logConfig:SubnetworkLogConfig name:string network:string
  params:SubnetworkParams privateIpGoogleAccess:bool
  privateIpv6GoogleAccess:=DISABLE_GOOGLE_ACCESS|ENABLE_BIDIRECTIONAL_ACCESS_TO_GOOGLE|ENABLE_OUTBOUND_VM_ACCESS_TO_GOOGLE
  purpose:=GLOBAL_MANAGED_PROXY|INTERNAL_HTTPS_LOAD_BALANCER|PEER_MIGRATION|PRIVATE|PRIVATE_NAT|PRIVATE_RFC_1918|PRIVATE_SERVICE_CONNECT|REGIONAL_MANAGED_PROXY
  region:string reservedInternalRange:string
  resolveSubnetMask:=ARP_ALL_RANGES|ARP_BROADCAST_PRIMARY_RANGE|ARP_BROADCAST_PRIMARY_RANGE_WITH_LEARNING|ARP_PRIMARY_RANGE
  role:=ACTIVE|BACKUP secondaryIpRanges:[SubnetworkSecondaryRange] selfLink:string
  stackType:=IPV4_IPV6|IPV4_ONLY|IPV6_ONLY state:=DRAINING|READY systemReservedExternalIpv6Ranges:[string]
  systemReservedInternalIpv6Ranges:[string] utilizationDetails:SubnetworkUtilizationDetails ;
SubnetworkList id:string items:[Subnetwork] kind:string nextPageToken:string selfLink:string warning:Warning ;
SubnetworkLogConfig
  aggregationInterval:=INTERVAL_10_MIN|INTERVAL_15_MIN|INTERVAL_1_MIN|INTERVAL_30_SEC|INTERVAL_5_MIN|INTERVAL_5_SEC
  enable:bool filterExpr:string flowSampling:double
  metadata:=CUSTOM_METADATA|EXCLUDE_ALL_METADATA|INCLUDE_ALL_METADATA metadataFields:[string] ;
SubnetworkParams resourceManagerTags:{string} ;
SubnetworkSecondaryRange ipCidrRange:string ipCollection:string ipVersion:=IPV4|IPV6|IP_VERSION_UNSPECIFIED
  rangeName:string reservedInternalRange:string ;
SubnetworkUtilizationDetails externalIpv6InstanceUtilization:SubnetworkUtilizationDetailsIPV6Utilization
  externalIpv6LbUtilization:SubnetworkUtilizationDetailsIPV6Utilization
  internalIpv6Utilization:SubnetworkUtilizationDetailsIPV6Utilization
  ipv4Utilizations:[SubnetworkUtilizationDetailsIPV4Utilization] ;
SubnetworkUtilizationDetailsIPV4Utilization rangeName:string totalAllocatedIp:int64 totalFreeIp:int64 ;
SubnetworkUtilizationDetailsIPV6Utilization totalAllocatedIp:Uint128 totalFreeIp:Uint128 ;
Tags fingerprint:bytes items:[string] ;
TestPermissionsRequest permissions:[string] ;
TestPermissionsResponse permissions:[string] ;
TimeZone id:string version:string ;
Uint128 high:int64 low:int64 ;
UpcomingMaintenance canReschedule:bool latestWindowStartTime:string maintenanceOnShutdown:bool
  maintenanceReasons:[=FAILURE_CUSTOMER_REPORTED|FAILURE_DISK|FAILURE_GPU|FAILURE_GPU_MULTIPLE_FAULTY_HOSTS_CUSTOMER_REPORTED|FAILURE_GPU_NVLINK_SWITCH_CUSTOMER_REPORTED|FAILURE_GPU_TEMPERATURE|FAILURE_GPU_XID|FAILURE_INFRA|FAILURE_INTERFACE|FAILURE_MEMORY|FAILURE_NETWORK|FAILURE_NVLINK|FAILURE_REDUNDANT_HARDWARE_FAULT|FAILURE_TPU|INFRASTRUCTURE_RELOCATION|MAINTENANCE_REASON_UNKNOWN|PLANNED_NETWORK_UPDATE|PLANNED_UPDATE]
  maintenanceStatus:=ONGOING|PENDING|UNKNOWN type:=MULTIPLE|SCHEDULED|UNKNOWN_TYPE|UNSCHEDULED windowEndTime:string
  windowStartTime:string ;
UsageExportLocation bucketName:string reportNamePrefix:string ;
Warning code:string data:[WarningDataItem] message:string ;
WarningDataItem key:string value:string ;
WorkloadIdentityConfig identity:string identityCertificateEnabled:bool
  identityType:=AGENT_IDENTITY|IDENTITY_TYPE_UNSPECIFIED|SERVICE_ACCOUNT ;
Zone availableCpuPlatforms:[string] creationTimestamp:string deprecated:DeprecationStatus description:string id:int64
  kind:string name:string region:string resourceStatus:ZoneResourceStatus selfLink:string status:=DOWN|UP
  supportsPzs:bool ;
ZoneList id:string items:[Zone] kind:string nextPageToken:string selfLink:string warning:Warning ;
ZoneResourceStatus upcomingMaintenances:[PeriodicPartialMaintenanceSchedule] ;
ZoneSetLabelsRequest labelFingerprint:bytes labels:{string} ;
)api";

}  // namespace nbform::sim
