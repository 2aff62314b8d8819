"""The purposes of the W3C Data Privacy Vocabulary (DPV) 2.3, and which is narrower than which.

Only names and hierarchy, in a form of our own; what a term means is said at https://w3id.org/dpv. A
term may have several broader ones, and a broader one may be no purpose (`LegalObligation` is a legal
basis). `Sector` and the two properties are no purposes either; the vocabulary lists them there.

This module includes material derived from Data Privacy Vocabulary (DPV), version 2.3,
https://w3id.org/dpv, and so does `personal_data`. Copyright (c) 2026 World Wide Web Consortium.
https://www.w3.org/copyright/software-license-2023/

    By obtaining and/or copying this work, you (the licensee) agree that you have read, understood, and
    will comply with the following terms and conditions.

    Permission to copy, modify, and distribute this work, with or without modification, for any purpose
    and without fee or royalty is hereby granted, provided that you include the following on ALL copies
    of the work or portions thereof, including modifications:

    - The full text of this NOTICE in a location viewable to users of the redistributed or derivative
      work.
    - Any pre-existing intellectual property disclaimers, notices, or terms and conditions. If none
      exist, the W3C software and document short notice should be included.
    - Notice of any changes or modifications, through a copyright statement on the new code or document
      such as "This software or document includes material copied from or derived from [title and URI of
      the W3C document]. Copyright (c) [$year-of-document] World Wide Web Consortium.
      https://www.w3.org/copyright/software-license-2023/"

    THIS WORK IS PROVIDED "AS IS," AND COPYRIGHT HOLDERS MAKE NO REPRESENTATIONS OR WARRANTIES, EXPRESS
    OR IMPLIED, INCLUDING BUT NOT LIMITED TO, WARRANTIES OF MERCHANTABILITY OR FITNESS FOR ANY PARTICULAR
    PURPOSE OR THAT THE USE OF THE SOFTWARE OR DOCUMENT WILL NOT INFRINGE ANY THIRD PARTY PATENTS,
    COPYRIGHTS, TRADEMARKS OR OTHER RIGHTS.

    COPYRIGHT HOLDERS WILL NOT BE LIABLE FOR ANY DIRECT, INDIRECT, SPECIAL OR CONSEQUENTIAL DAMAGES
    ARISING OUT OF ANY USE OF THE SOFTWARE OR DOCUMENT.

    The name and trademarks of copyright holders may NOT be used in advertising or publicity pertaining
    to the work without specific, written prior permission. Title to copyright in this work will at all
    times remain with copyright holders.
"""

from collections.abc import Iterator, Mapping, Set
from types import MappingProxyType
from typing import Final

DPV: Final = "https://w3id.org/dpv#"


def parse_hierarchy(text: str) -> Mapping[str, tuple[str, ...]]:
    """Each term of `text` to the terms one step broader.

    Args:
        text: words. One that ends with a colon is a broader term, and what follows is narrower; what
            follows a lone `-:` has no broader term.
    """
    broader: dict[str, tuple[str, ...]] = {}
    head = ""
    for word in text.split():
        if word.endswith(":"):
            head = word[:-1]
        else:
            broader[word] = broader.get(word, ()) + (() if head == "-" else (head,))
    return MappingProxyType(broader)


def walk_broader(term: str, broader: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """`term`, then what is one step broader, then two, and so on. No term twice, so that a cycle ends."""
    seen: set[str] = set()
    level: tuple[str, ...] = (term,)
    while level:
        yield level
        seen.update(level)
        above = (wider for narrow in level for wider in broader.get(narrow, ()))
        level = tuple(wider for wider in dict.fromkeys(above) if wider not in seen)


def find_nearest_rule(
    term: str, broader: Mapping[str, tuple[str, ...]], refused: Mapping[str, Set[str]]
) -> str | None:
    """The rule in `refused` that names `term`, or else the nearest broader term; None if none does.

    Of two rules that are equally near, it is the one listed first.
    """
    levels = walk_broader(term, broader)
    named = (rule for level in levels for rule, names in refused.items() if not names.isdisjoint(level))
    return next(named, None)


#: Each purpose to the terms one step broader, by name.
PURPOSES: Final = parse_hierarchy("""
    -: Purpose Sector hasPurpose hasSector
    Purpose: AccountManagement CommercialPurpose CommunicationManagement CustomerManagement
        EnforceSecurity EstablishContractualAgreement FulfilmentOfObligation HumanResourceManagement
        Marketing NonCommercialPurpose OrganisationGovernance Personalisation PublicBenefit
        RecordManagement ResearchAndDevelopment ServiceManagement VendorManagement
    CommercialPurpose: CommercialResearch
    CommunicationManagement: CommunicationForCustomerCare
    CustomerManagement: CustomerCare CustomerClaimsManagement CustomerOrderManagement
        CustomerRelationshipManagement CustomerSolvencyMonitoring
    EnforceSecurity: EnforceAccessControl IdentityAuthentication MisusePreventionAndDetection
        Verification
    FulfilmentOfObligation: FulfilmentOfContractualObligation LegalCompliance ProtectionOfIPR
    HumanResourceManagement: PersonnelManagement
    Marketing: Advertising DirectMarketing PublicRelations SocialMediaMarketing
    NonCommercialPurpose: NonCommercialResearch
    OrganisationGovernance: DisputeManagement MemberPartnerManagement OrganisationComplianceManagement
        OrganisationRiskManagement
    Personalisation: PersonalisedAdvertising PoliticalCampaign ServicePersonalisation
    PublicBenefit: CombatClimateChange Counterterrorism DataAltruism ImproveHealthcare
        ImprovePublicServices ImproveTransportMobility ProtectionOfNationalSecurity
        ProtectionOfPublicSecurity ProvideOfficialStatistics PublicPolicyMaking
    ResearchAndDevelopment: AcademicResearch CommercialResearch NonCommercialResearch ScientificResearch
    ServiceManagement: PaymentManagement RepairImpairments ServiceAccessDetermination ServiceMonitoring
        ServiceOptimisation ServicePersonalisation ServiceProvision ServiceRegistration
    VendorManagement: VendorPayment VendorRecordsManagement VendorSelectionAssessment
    CustomerCare: CommunicationForCustomerCare
    CustomerRelationshipManagement: ImproveInternalCRMProcesses
    MisusePreventionAndDetection: FraudPreventionAndDetection
    Verification: AgeVerification IdentityVerification
    PersonnelManagement: PersonnelHiring PersonnelMonitoring PersonnelOffboarding PersonnelPayment
        PersonnelPerformanceManagement PersonnelPromotionManagement PersonnelTerminationManagement
        PersonnelWorkloadManagement
    Advertising: PersonalisedAdvertising PoliticalCampaign RecruitmentAdvertising
    PersonalisedAdvertising: TargetedAdvertising
    ServicePersonalisation: PersonalisedBenefits ProvidePersonalisedRecommendations
        UserInterfacePersonalisation
    ServiceMonitoring: ServiceUsageAnalytics
    ServiceOptimisation: OptimisationForConsumer OptimisationForController
    ServiceProvision: RequestedServiceProvision SearchFunctionalities SellProducts
        TechnicalServiceProvision
    FraudPreventionAndDetection: CounterMoneyLaundering MaintainFraudDatabase
    PersonnelHiring: PersonnelOnboarding RecruitmentAdvertising RecruitmentManagement
    PersonnelMonitoring: PersonnelBehaviourMonitoring PersonnelPerformanceManagement
        PersonnelPerformanceMonitoring
    PersonnelPerformanceManagement: PersonnelPerformanceEvaluation PersonnelPerformanceMonitoring
        PersonnelPerformancePrediction
    RecruitmentAdvertising: RecruitmentTargetedAdvertising
    TargetedAdvertising: RecruitmentTargetedAdvertising
    ProvidePersonalisedRecommendations: ProvideEventRecommendations ProvideProductRecommendations
    OptimisationForConsumer: OptimiseUserInterface
    OptimisationForController: ImproveExistingProductsAndServices ImproveInternalCRMProcesses
        IncreaseServiceRobustness InternalResourceOptimisation
    RequestedServiceProvision: DeliveryOfGoods
    SellProducts: SellDataToThirdParties SellInsightsFromData SellProductsToDataSubject
    RecruitmentManagement: RecruitmentApplicantBackgroundCheck
        RecruitmentApplicantCriminalBackgroundCheck RecruitmentApplicantInformationAuthentication
        RecruitmentApplicantSelection RecruitmentApplicationManagement RecruitmentInterviewManagement
    RecruitmentApplicationManagement: RecruitmentApplicationAnalysis RecruitmentApplicationScreening
    RecruitmentInterviewManagement: RecruitmentInterviewAnalysis RecruitmentInterviewAssessment
        RecruitmentInterviewScheduling
    LegalObligation: RightsFulfilment
""")
