"""The categories of personal data of the W3C DPV 2.3 (its extension PD), and which is narrower than which.

Only names and hierarchy, in a form of our own; what a category means is said at https://w3id.org/dpv/pd.
The misspelt `VehicalLicense...` are PD's own. What DPV itself names begins with `dpv:`.

This module includes material derived from Personal Data Categories (PD), version 2.3,
https://w3id.org/dpv/pd. Copyright (c) 2026 World Wide Web Consortium. The licence stands in `dpv`.
"""

from typing import Final

from sesame_sdk.guard.dpv import parse_hierarchy

PD: Final = "https://w3id.org/dpv/pd#"

#: Each category to the ones a step broader, by name.
CATEGORIES: Final = parse_hierarchy("""
    dpv:PersonalData: External Financial Historical Household Internal Profile Social Tracking
    dpv:SensitivePersonalData: Vulnerability
    dpv:SpecialCategoryPersonalData: Biometric EthnicOrigin MedicalHealth PhilosophicalBelief
        PoliticalAffiliation PoliticalOpinion Race Religion ReligiousBelief Sexual TradeUnionMembership

    External: Behavioural Citizenship Demographic Ethnicity Identifying Language MedicalHealth Nationality
        PersonalDocuments PhysicalCharacteristic Sexual Vehicle
    Behavioural: Attitude AuthenticationHistory BrowsingBehaviour CallLog Demeanour LinkClicked
        PerformanceAtWork Personality Reliability ServiceConsumptionBehaviour SocialBehaviour VehicleUsage
    BrowsingBehaviour: BrowserHistory BrowsingReferral
    ServiceConsumptionBehaviour: TVViewingBehaviour
    Demographic: Geographic IncomeBracket PhysicalTrait
    Ethnicity: EthnicOrigin Race
    Identifying: Biometric Name OfficialID Picture UID Username VehicleLicense
    Biometric: FacialExpression FacialPrint Fingerprint Retina
    OfficialID: Passport
    Language: Accent Dialect
    MedicalHealth: BloodType DNACode Disability DrugTestResult Health HealthHistory HealthRecord Prescription
    Health: Genetic MentalHealth PhysicalHealth
    HealthHistory: FamilyHealthHistory IndividualHealthHistory
    PhysicalCharacteristic: Age Gender HairColour Height Piercing SkinTone Tattoo Weight
    Age: AgeRange BirthDate
    AgeRange: AgeExact
    Sexual: Fetish Proclivity SexualHistory SexualPreference
    Vehicle: VehicleLicense VehicleUsage
    VehicleLicense: VehicalLicenseNumber VehicalLicenseRegistration

    Financial: FinancialAccount FinancialStatus Insurance Ownership Transactional
    FinancialAccount: AccountIdentifier BankAccount PaymentCard
    AccountIdentifier: FinancialAccountNumber PaymentCardNumber
    PaymentCard: PaymentCardExpiry PaymentCardNumber
    PaymentCardNumber: CreditCardNumber
    Ownership: CarOwned HouseOwned PersonalPossession
    HouseOwned: ApartmentOwned
    Transactional: Credit Income LoanRecord Purchase PurchasesAndSpendingHabit Sale Tax Transaction
    Credit: CreditCapacity CreditRecord CreditStanding CreditWorthiness
    CreditWorthiness: CreditScore

    Historical: LifeHistory

    Internal: Authenticating Emotion KnowledgeBelief Mood Preference
    Authenticating: PINCode Password SecretText
    KnowledgeBelief: PhilosophicalBelief ReligiousBelief TechnicalKnowledge Thought
    Preference: Favourite Intention Interest Opinion PrivacyPreference
    Favourite: FavouriteColour FavouriteFood FavouriteMusic
    Interest: Dislike Like

    Profile: GroupProfile IndividualProfile

    Social: Communication Criminal Family Professional PublicLife SocialBehaviour SocialNetwork
    Communication: EmailContent SocialMedia SocialMediaCommunication VoiceCommunicationRecording VoiceMail
    SocialMedia: PubliclyAvailableSocialMedia
    Criminal: CriminalCharge CriminalConviction CriminalOffence CriminalPardon
    Family: FamilyStructure Relationship
    FamilyStructure: Divorce Marriage Offspring Parent Sibling
    Professional: DisciplinaryAction Education EmploymentHistory Job PerformanceAtWork
        ProfessionalCertification ProfessionalEvaluation ProfessionalExperience ProfessionalInterview
        ProfessionalTraining Reference Salary School WorkEnvironment WorkHistory
    Education: EducationExperience EducationQualification EducationTraining
    EmploymentHistory: CurrentEmployment PastEmployment
    ProfessionalExperience: WorkExperience
    PublicLife: Character CommunicationsMetadata GeneralReputation Interaction MaritalStatus
        PoliticalAffiliation PoliticalOpinion Religion SocialStatus
    SocialNetwork: Acquaintance Association Connection Friend GroupMembership
    GroupMembership: TradeUnionMembership

    Tracking: Contact DeviceBased DigitalFingerprint Identifier Location UserAgent
    Contact: EmailAddress PhysicalAddress TelephoneNumber
    EmailAddress: EmailAddressPersonal EmailAddressWork
    DeviceBased: BrowserFingerprint DeviceSoftware IPAddress MACAddress
    DeviceSoftware: DeviceApplications DeviceOperatingSystem
    Location: BirthPlace Country CurrentLocation Domicile HomeLocation PhysicalAddress Residency
        TravelHistory WorkLocation
    BirthPlace: BirthCountry
    Country: BirthCountry
    CurrentLocation: GPSCoordinate
    PhysicalAddress: City HouseNumber Locality PostalCode Region RoomNumber Street
""")
