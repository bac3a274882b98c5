// Requests of AWS services as published: service models of botocore 1.44.5. Written by
// tests/contract/aws_api.py; not edited by hand. api.h says how it is read.
#include "sim/aws/api.h"

namespace nbform::sim::aws {

const std::string_view kOperations = R"api(
ec2.RunInstances AdditionalInfo:string BlockDeviceMapping:[BlockDeviceMapping]
  CapacityReservationSpecification:CapacityReservationSpecification ClientToken:string CpuOptions:CpuOptionsRequest
  CreditSpecification:CreditSpecificationRequest DisableApiStop:boolean DisableApiTermination:boolean DryRun:boolean
  EbsOptimized:boolean ElasticGpuSpecification:[ElasticGpuSpecification]
  ElasticInferenceAccelerator:[ElasticInferenceAccelerator] EnablePrimaryIpv6:boolean
  EnclaveOptions:EnclaveOptionsRequest HibernationOptions:HibernationOptionsRequest
  IamInstanceProfile:IamInstanceProfileSpecification ImageId:string InstanceInitiatedShutdownBehavior:=stop|terminate
  InstanceMarketOptions:InstanceMarketOptionsRequest InstanceType:string Ipv6AddressCount:int
  Ipv6Address:[InstanceIpv6Address] KernelId:string KeyName:string LaunchTemplate:LaunchTemplateSpecification
  LicenseSpecification:[LicenseConfigurationRequest] MaintenanceOptions:InstanceMaintenanceOptionsRequest
  MaxCount!:int MetadataOptions:InstanceMetadataOptionsRequest MinCount!:int Monitoring:RunInstancesMonitoringEnabled
  NetworkInterface:[InstanceNetworkInterfaceSpecification]
  NetworkPerformanceOptions:InstanceNetworkPerformanceOptionsRequest Operator:OperatorRequest Placement:Placement
  PrivateDnsNameOptions:PrivateDnsNameOptionsRequest PrivateIpAddress:string RamdiskId:string
  SecondaryInterface:[InstanceSecondaryInterfaceSpecificationRequest] SecurityGroupId:[string] SecurityGroup:[string]
  SubnetId:string TagSpecification:[TagSpecification] UserData:string ;
ec2.DescribeInstances DryRun:boolean Filter:[Filter] IncludeManagedResources:boolean InstanceId:[string]
  MaxResults:int NextToken:string ;
ec2.DescribeInstanceStatus DryRun:boolean Filter:[Filter] IncludeAllInstances:boolean IncludeManagedResources:boolean
  InstanceId:[string] MaxResults:int NextToken:string ;
ec2.StartInstances AdditionalInfo:string DryRun:boolean InstanceId!:[string] ;
ec2.StopInstances DryRun:boolean Force:boolean Hibernate:boolean InstanceId!:[string] SkipOsShutdown:boolean ;
ec2.RebootInstances DryRun:boolean InstanceId!:[string] ;
ec2.TerminateInstances DryRun:boolean Force:boolean InstanceId!:[string] SkipOsShutdown:boolean ;
ec2.ModifyInstanceAttribute
  Attribute:=instanceType|kernel|ramdisk|userData|disableApiTermination|instanceInitiatedShutdownBehavior|rootDeviceName|blockDeviceMapping|productCodes|sourceDestCheck|groupSet|ebsOptimized|sriovNetSupport|enaSupport|enclaveOptions|disableApiStop
  BlockDeviceMapping:[InstanceBlockDeviceMappingSpecification] DisableApiStop:AttributeBooleanValue
  DisableApiTermination:AttributeBooleanValue DryRun:boolean EbsOptimized:AttributeBooleanValue
  EnaSupport:AttributeBooleanValue EnclaveOptions:EnclaveOptionsRequest GroupId:[string] InstanceId!:string
  InstanceInitiatedShutdownBehavior:AttributeValue InstanceType:AttributeValue Kernel:AttributeValue
  Ramdisk:AttributeValue SourceDestCheck:AttributeBooleanValue SriovNetSupport:AttributeValue
  UserData:SecureBlobAttributeValue Value:string ;
ec2.DescribeInstanceAttribute
  Attribute!:=instanceType|kernel|ramdisk|userData|disableApiTermination|instanceInitiatedShutdownBehavior|rootDeviceName|blockDeviceMapping|productCodes|sourceDestCheck|groupSet|ebsOptimized|sriovNetSupport|enaSupport|enclaveOptions|disableApiStop
  DryRun:boolean InstanceId!:string ;
ec2.ModifyInstanceMetadataOptions DryRun:boolean HttpEndpoint:=disabled|enabled HttpProtocolIpv6:=disabled|enabled
  HttpPutResponseHopLimit:int HttpTokens:=optional|required InstanceId!:string InstanceMetadataTags:=disabled|enabled
  ;
ec2.GetConsoleOutput DryRun:boolean InstanceId!:string Latest:boolean ;
ec2.CreateTags DryRun:boolean ResourceId!:[string] Tag!:[Tag] ;
ec2.DeleteTags DryRun:boolean ResourceId!:[string] Tag:[Tag] ;
ec2.DescribeTags DryRun:boolean Filter:[Filter] MaxResults:int NextToken:string ;
ec2.CreateVolume AvailabilityZone:string AvailabilityZoneId:string ClientToken:string DryRun:boolean Encrypted:boolean
  Iops:int KmsKeyId:string MultiAttachEnabled:boolean Operator:OperatorRequest OutpostArn:string Size:int
  SnapshotId:string TagSpecification:[TagSpecification] Throughput:int VolumeInitializationRate:int
  VolumeType:=standard|io1|io2|gp2|sc1|st1|gp3 ;
ec2.DescribeVolumes DryRun:boolean Filter:[Filter] IncludeManagedResources:boolean MaxResults:int NextToken:string
  VolumeId:[string] ;
ec2.AttachVolume Device!:string DryRun:boolean EbsCardIndex:int InstanceId!:string VolumeId!:string ;
ec2.DetachVolume Device:string DryRun:boolean Force:boolean InstanceId:string VolumeId!:string ;
ec2.ModifyVolume DryRun:boolean Iops:int MultiAttachEnabled:boolean Size:int Throughput:int VolumeId!:string
  VolumeType:=standard|io1|io2|gp2|sc1|st1|gp3 ;
ec2.DescribeVolumesModifications DryRun:boolean Filter:[Filter] IncludeManagedResources:boolean MaxResults:int
  NextToken:string VolumeId:[string] ;
ec2.DeleteVolume DryRun:boolean VolumeId!:string ;
ec2.ImportKeyPair DryRun:boolean KeyName!:string PublicKeyMaterial!:blob TagSpecification:[TagSpecification] ;
ec2.DescribeKeyPairs DryRun:boolean Filter:[Filter] IncludePublicKey:boolean KeyName:[string] KeyPairId:[string] ;
ec2.DeleteKeyPair DryRun:boolean KeyName:string KeyPairId:string ;
ec2.CreateSecurityGroup GroupDescription!:string DryRun:boolean GroupName!:string TagSpecification:[TagSpecification]
  VpcId:string ;
ec2.DescribeSecurityGroups DryRun:boolean Filter:[Filter] GroupId:[string] GroupName:[string] MaxResults:int
  NextToken:string ;
ec2.DeleteSecurityGroup DryRun:boolean GroupId:string GroupName:string ;
ec2.AuthorizeSecurityGroupIngress CidrIp:string DryRun:boolean FromPort:int GroupId:string GroupName:string
  IpPermissions:[IpPermission] IpProtocol:string SourceSecurityGroupName:string SourceSecurityGroupOwnerId:string
  TagSpecification:[TagSpecification] ToPort:int ;
ec2.AuthorizeSecurityGroupEgress CidrIp:string DryRun:boolean FromPort:int GroupId!:string
  IpPermissions:[IpPermission] IpProtocol:string SourceSecurityGroupName:string SourceSecurityGroupOwnerId:string
  TagSpecification:[TagSpecification] ToPort:int ;
ec2.RevokeSecurityGroupIngress CidrIp:string DryRun:boolean FromPort:int GroupId:string GroupName:string
  IpPermissions:[IpPermission] IpProtocol:string SecurityGroupRuleId:[string] SourceSecurityGroupName:string
  SourceSecurityGroupOwnerId:string ToPort:int ;
ec2.RevokeSecurityGroupEgress CidrIp:string DryRun:boolean FromPort:int GroupId!:string IpPermissions:[IpPermission]
  IpProtocol:string SecurityGroupRuleId:[string] SourceSecurityGroupName:string SourceSecurityGroupOwnerId:string
  ToPort:int ;
ec2.DescribeSecurityGroupRules DryRun:boolean Filter:[Filter] MaxResults:int NextToken:string
  SecurityGroupRuleId:[string] ;
ec2.ModifySecurityGroupRules DryRun:boolean GroupId!:string SecurityGroupRule!:[SecurityGroupRuleUpdate] ;
ec2.DescribeSpotInstanceRequests DryRun:boolean Filter:[Filter] MaxResults:int NextToken:string
  SpotInstanceRequestId:[string] ;
ec2.CancelSpotInstanceRequests DryRun:boolean SpotInstanceRequestId!:[string] ;
ec2.DescribeSpotPriceHistory AvailabilityZone:string AvailabilityZoneId:string DryRun:boolean EndTime:time
  Filter:[Filter] InstanceType:[string] MaxResults:int NextToken:string ProductDescription:[string] StartTime:time ;
ec2.DescribeImages DryRun:boolean ExecutableBy:[string] Filter:[Filter] ImageId:[string] IncludeDeprecated:boolean
  IncludeDisabled:boolean MaxResults:int NextToken:string Owner:[string] ;
ec2.DescribeInstanceTypes DryRun:boolean Filter:[Filter] IncludeUnsupportedInRegion:boolean InstanceType:[string]
  MaxResults:int NextToken:string ;
ec2.DescribeInstanceTypeOfferings DryRun:boolean Filter:[Filter]
  LocationType:=region|availability-zone|availability-zone-id|outpost MaxResults:int NextToken:string ;
ec2.DescribeAvailabilityZones AllAvailabilityZones:boolean DryRun:boolean Filter:[Filter] ZoneId:[string]
  ZoneName:[string] ;
ec2.DescribeRegions AllRegions:boolean DryRun:boolean Filter:[Filter] RegionName:[string] ;
ec2.DescribeVpcs DryRun:boolean Filter:[Filter] MaxResults:int NextToken:string VpcId:[string] ;
ec2.DescribeSubnets DryRun:boolean Filter:[Filter] MaxResults:int NextToken:string SubnetId:[string] ;
ec2.DescribeRouteTables DryRun:boolean Filter:[Filter] MaxResults:int NextToken:string RouteTableId:[string] ;
ec2.DescribeInternetGateways DryRun:boolean Filter:[Filter] InternetGatewayId:[string] MaxResults:int NextToken:string
  ;
ec2.DescribeNetworkInterfaces DryRun:boolean Filter:[Filter] IncludeManagedResources:boolean MaxResults:int
  NetworkInterfaceId:[string] NextToken:string ;
ec2.ModifyNetworkInterfaceAttribute AssociatePublicIpAddress:boolean AssociatedSubnetId:[string]
  Attachment:NetworkInterfaceAttachmentChanges ConnectionTrackingSpecification:ConnectionTrackingSpecificationRequest
  Description:AttributeValue DryRun:boolean EnaSrdSpecification:EnaSrdSpecification EnablePrimaryIpv6:boolean
  SecurityGroupId:[string] NetworkInterfaceId!:string SourceDestCheck:AttributeBooleanValue ;
ec2.DescribeIamInstanceProfileAssociations AssociationId:[string] Filter:[Filter] MaxResults:int NextToken:string ;
ec2.AssociateIamInstanceProfile IamInstanceProfile!:IamInstanceProfileSpecification InstanceId!:string ;
ec2.ReplaceIamInstanceProfileAssociation AssociationId!:string IamInstanceProfile!:IamInstanceProfileSpecification ;
ec2.DisassociateIamInstanceProfile AssociationId!:string ;
sts.GetCallerIdentity ;
sts.AssumeRole DurationSeconds:int ExternalId:string MinimumSessionTokenSize:int Policy:string
  PolicyArns:[sts:PolicyDescriptorType] ProvidedContexts:[sts:ProvidedContext] RoleArn!:string RoleSessionName!:string
  SerialNumber:string SourceIdentity:string Tags:[sts:Tag] TokenCode:string TransitiveTagKeys:[string] ;
sts.AssumeRoleWithWebIdentity DurationSeconds:int MinimumSessionTokenSize:int Policy:string
  PolicyArns:[sts:PolicyDescriptorType] ProviderId:string RoleArn!:string RoleSessionName!:string
  WebIdentityToken!:string ;
ssm.GetParameter Name!:string WithDecryption:boolean ;
ssm.GetParameters Names!:[string] WithDecryption:boolean ;
servicequotas.GetServiceQuota ContextId:string QuotaCode!:string ServiceCode!:string ;
servicequotas.ListServiceQuotas MaxResults:int NextToken:string QuotaAppliedAtLevel:=ACCOUNT|RESOURCE|ALL
  QuotaCode:string ServiceCode!:string ;
)api";

const std::string_view kStructures = R"api(
AttributeBooleanValue Value:boolean ;
AttributeValue Value:string ;
BlockDeviceMapping DeviceName:string Ebs:EbsBlockDevice NoDevice:string VirtualName:string ;
CapacityReservationSpecification CapacityReservationPreference:=capacity-reservations-only|open|none
  CapacityReservationTarget:CapacityReservationTarget ;
CapacityReservationTarget CapacityReservationId:string CapacityReservationResourceGroupArn:string ;
ConnectionTrackingSpecificationRequest TcpEstablishedTimeout:int UdpStreamTimeout:int UdpTimeout:int ;
CpuOptionsRequest AmdSevSnp:=enabled|disabled CoreCount:int NestedVirtualization:=enabled|disabled ThreadsPerCore:int
  ;
CreditSpecificationRequest CpuCredits!:string ;
EbsBlockDevice AvailabilityZone:string AvailabilityZoneId:string DeleteOnTermination:boolean EbsCardIndex:int
  Encrypted:boolean Iops:int KmsKeyId:string OutpostArn:string SnapshotId:string Throughput:int
  VolumeInitializationRate:int VolumeSize:int VolumeType:=standard|io1|io2|gp2|sc1|st1|gp3 ;
EbsInstanceBlockDeviceSpecification DeleteOnTermination:boolean VolumeId:string ;
ElasticGpuSpecification Type!:string ;
ElasticInferenceAccelerator Count:int Type!:string ;
EnaSrdSpecification EnaSrdEnabled:boolean EnaSrdUdpSpecification:EnaSrdUdpSpecification ;
EnaSrdSpecificationRequest EnaSrdEnabled:boolean EnaSrdUdpSpecification:EnaSrdUdpSpecificationRequest ;
EnaSrdUdpSpecification EnaSrdUdpEnabled:boolean ;
EnaSrdUdpSpecificationRequest EnaSrdUdpEnabled:boolean ;
EnclaveOptionsRequest Enabled:boolean ;
Filter Name:string Value:[string] ;
HibernationOptionsRequest Configured:boolean ;
IamInstanceProfileSpecification Arn:string Name:string ;
InstanceBlockDeviceMappingSpecification DeviceName:string Ebs:EbsInstanceBlockDeviceSpecification NoDevice:string
  VirtualName:string ;
InstanceIpv6Address Ipv6Address:string IsPrimaryIpv6:boolean ;
InstanceMaintenanceOptionsRequest AutoRecovery:=disabled|default ;
InstanceMarketOptionsRequest MarketType:=spot|capacity-block|interruptible-capacity-reservation|on-demand
  SpotOptions:SpotMarketOptions ;
InstanceMetadataOptionsRequest HttpEndpoint:=disabled|enabled HttpProtocolIpv6:=disabled|enabled
  HttpPutResponseHopLimit:int HttpTokens:=optional|required InstanceMetadataTags:=disabled|enabled ;
InstanceNetworkInterfaceSpecification AssociateCarrierIpAddress:boolean AssociatePublicIpAddress:boolean
  ConnectionTrackingSpecification:ConnectionTrackingSpecificationRequest DeleteOnTermination:boolean
  Description:string DeviceIndex:int EnaQueueCount:int EnaSrdSpecification:EnaSrdSpecificationRequest
  SecurityGroupId:[string] InterfaceType:string Ipv4PrefixCount:int Ipv4Prefix:[Ipv4PrefixSpecificationRequest]
  Ipv6AddressCount:int Ipv6Addresses:[InstanceIpv6Address] Ipv6PrefixCount:int
  Ipv6Prefix:[Ipv6PrefixSpecificationRequest] NetworkCardIndex:int NetworkInterfaceId:string PrimaryIpv6:boolean
  PrivateIpAddress:string PrivateIpAddresses:[PrivateIpAddressSpecification] SecondaryPrivateIpAddressCount:int
  SubnetId:string ;
InstanceNetworkPerformanceOptionsRequest BandwidthWeighting:=default|vpc-1|ebs-1 ;
InstanceSecondaryInterfacePrivateIpAddressRequest PrivateIpAddress!:string ;
InstanceSecondaryInterfaceSpecificationRequest DeleteOnTermination:boolean DeviceIndex:int InterfaceType:=secondary
  NetworkCardIndex:int PrivateIpAddressCount:int PrivateIpAddress:[InstanceSecondaryInterfacePrivateIpAddressRequest]
  SecondarySubnetId:string ;
IpPermission FromPort:int IpProtocol:string IpRanges:[IpRange] Ipv6Ranges:[Ipv6Range] PrefixListIds:[PrefixListId]
  ToPort:int Groups:[UserIdGroupPair] ;
IpRange CidrIp:string Description:string ;
Ipv4PrefixSpecificationRequest Ipv4Prefix:string ;
Ipv6PrefixSpecificationRequest Ipv6Prefix:string ;
Ipv6Range CidrIpv6:string Description:string ;
LaunchTemplateSpecification LaunchTemplateId:string LaunchTemplateName:string Version:string ;
LicenseConfigurationRequest LicenseConfigurationArn:string ;
NetworkInterfaceAttachmentChanges AttachmentId:string DefaultEnaQueueCount:boolean DeleteOnTermination:boolean
  EnaQueueCount:int ;
OperatorRequest Principal:string ;
Placement Affinity:string AvailabilityZone:string AvailabilityZoneId:string GroupId:string GroupName:string
  HostId:string HostResourceGroupArn:string PartitionNumber:int SpreadDomain:string Tenancy:=default|dedicated|host ;
PrefixListId Description:string PrefixListId:string ;
PrivateDnsNameOptionsRequest EnableResourceNameDnsAAAARecord:boolean EnableResourceNameDnsARecord:boolean
  HostnameType:=ip-name|resource-name ;
PrivateIpAddressSpecification Primary:boolean PrivateIpAddress:string ;
RunInstancesMonitoringEnabled Enabled!:boolean MetricCategoryId:[string] ;
SecureBlobAttributeValue Value:blob ;
SecurityGroupRuleRequest CidrIpv4:string CidrIpv6:string Description:string FromPort:int IpProtocol:string
  PrefixListId:string ReferencedGroupId:string ToPort:int ;
SecurityGroupRuleUpdate SecurityGroupRule:SecurityGroupRuleRequest SecurityGroupRuleId!:string ;
SpotMarketOptions BlockDurationMinutes:int InstanceInterruptionBehavior:=hibernate|stop|terminate MaxPrice:string
  SpotInstanceType:=one-time|persistent ValidUntil:time ;
Tag Key:string Value:string ;
TagSpecification ResourceType:string Tag:[Tag] ;
UserIdGroupPair Description:string GroupId:string GroupName:string PeeringStatus:string UserId:string VpcId:string
  VpcPeeringConnectionId:string ;
sts:PolicyDescriptorType arn:string ;
sts:ProvidedContext ContextAssertion:string ProviderArn:string ;
sts:Tag Key!:string Value!:string ;
)api";

}  // namespace nbform::sim::aws
