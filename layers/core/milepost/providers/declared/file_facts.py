"""The part of a provider's file about the facts of an order: where each is in a payload."""

from milepost.providers.declared.file_parts import Expression, Part


class CustomerFields(Part):
    """Who ordered."""

    name: Expression | None = None
    """The whole name. ``join(' ', [first, last][?@])`` joins its parts."""
    business: Expression | None = None
    """The company, if one ordered."""
    email: Expression | None = None
    """The email address. Without one, the customer can't be notified."""
    phone: Expression | None = None
    """The phone number."""
    number: Expression | None = None
    """The customer's number at the provider."""


class AddressFields(Part):
    """Where the service is delivered."""

    street: Expression | None = None
    """Street and house number."""
    unit: Expression | None = None
    """Apartment, floor or unit."""
    postcode: Expression | None = None
    """The postcode."""
    city: Expression | None = None
    """The city or place."""
    region: Expression | None = None
    """The state, province or region."""
    country: Expression | None = None
    """The country, such as DE."""


class OfferFields(Part):
    """What was sold."""

    id: Expression | None = None
    """The product's id or article number."""
    name: Expression | None = None
    """The product's name, for people."""
    supplier: Expression | None = None
    """The company behind the product. Terms of commission may depend on it."""


class PaymentFields(Part):
    """How the customer pays."""

    kind: Expression | None = None
    """The kind of payment, such as credit_card."""
    status: Expression | None = None
    """The status of the payment, such as paid or failed."""
    amount: Expression | None = None
    """The amount, in the units that ``amounts`` says."""
    currency: Expression | None = None
    """The currency, such as EUR (ISO 4217)."""


class CommissionFields(Part):
    """The commission that you earn, as the provider states it."""

    amount: Expression | None = None
    """The amount. It takes precedence over the terms of the connection."""
    currency: Expression | None = None
    """The currency, such as EUR (ISO 4217)."""
    status: Expression | None = None
    """The status. With the word paid, the commission is recorded as paid."""
    paid_at: Expression | None = None
    """When it was paid."""


class InstallerFields(Part):
    """Who installs."""

    kind: Expression | None = None
    """What they are, such as meter_installer or partner."""
    name: Expression | None = None
    """Their name, for people."""


class ChargeBoxFields(Part):
    """The charge box of an order."""

    serial_number: Expression | None = None
    """The serial number."""
    model: Expression | None = None
    """The model."""


class InvoiceFields(Part):
    """Invoices that the customer has to pay."""

    each: Expression
    """The list; the other expressions read one of its elements."""
    id: Expression | None = None
    """The invoice's id."""
    number: Expression | None = None
    """The invoice's number, for people."""
    kind: Expression | None = None
    """What it is for, such as connection_fee."""
    amount: Expression | None = None
    """The amount, in the units that ``amounts`` says."""
    currency: Expression | None = None
    """The currency, such as EUR (ISO 4217)."""
    paid: Expression | None = None
    """Whether it is paid: true or false."""
    paid_at: Expression | None = None
    """When it was paid."""
    due_on: Expression | None = None
    """The day by which it has to be paid."""


class EmailFields(Part):
    """Emails that the provider sends to the customer."""

    each: Expression
    """The list; the other expressions read one of its elements."""
    type: Expression | None = None
    """The kind of email, such as order_confirmation."""
    sent: Expression | None = None
    """Whether it was sent: true or false."""
    sent_at: Expression | None = None
    """When it was sent."""
    not_sent_reason: Expression | None = None
    """Why it was not sent, in words."""


class Facts(Part):
    """Facts of an order, each by an expression. An unreadable fact is left out."""

    reference: Expression | None = None
    """The order's number, for people."""
    customer: CustomerFields | None = None
    """Who ordered."""
    address: AddressFields | None = None
    """Where the service is delivered."""
    service_type: Expression | None = None
    """What kind of service is sold, such as internet."""
    offer: OfferFields | None = None
    """What was sold."""
    track: Expression | None = None
    """The provider's own word for how it processes the order: shown, no matter for deadlines."""
    ordered_at: Expression | None = None
    """When it was ordered."""
    signed_at: Expression | None = None
    """When the contract was signed."""
    appointment: Expression | None = None
    """The date of the installation or delivery. Reminders and deadlines follow it."""
    fulfilment_at: Expression | None = None
    """When the provider will fulfil the order, if that is planned there."""
    delivery_start: Expression | None = None
    """The day on which supply starts."""
    delivery_end: Expression | None = None
    """The day on which supply ends."""
    delivery_state: Expression | None = None
    """The provider's status of the delivery, if it has one apart from the order's."""
    reason: Expression | None = None
    """Why the order was rejected, cancelled or failed. Its cause is recognised."""
    notes: Expression | None = None
    """The provider's notes for people: one on each line, or a list."""
    processing_info: Expression | None = None
    """The provider's remark about the processing."""
    delivery_message: Expression | None = None
    """The provider's remark about the delivery."""
    account_number: Expression | None = None
    """The customer's account number with the supplier."""
    meter_number: Expression | None = None
    """The meter's number."""
    malo: Expression | None = None
    """The market location (MaLo) in the German grid, 11 digits."""
    melo: Expression | None = None
    """The metering location (MeLo) in the German grid, 33 characters."""
    spn: Expression | None = None
    """The number of the service point (SPN)."""
    yearly_consumption: Expression | None = None
    """The estimated consumption of a year, in kWh."""
    previous_consumption: Expression | None = None
    """The consumption of the previous year, in kWh."""
    installation_type: Expression | None = None
    """The kind of installation, such as underground."""
    installation_initiated_at: Expression | None = None
    """When the installation was ordered from the installer."""
    meter_phase: Expression | None = None
    """The phases of the meter, such as three_phase."""
    onboarding_flow: Expression | None = None
    """The way by which the customer ordered, such as the name of a web form."""
    payment: PaymentFields | None = None
    """How the customer pays."""
    commission: CommissionFields | None = None
    """The commission that you earn, as the provider states it."""
    installer: InstallerFields | None = None
    """Who installs."""
    charge_box: ChargeBoxFields | None = None
    """The charge box of an order."""
    invoices: InvoiceFields | None = None
    """Invoices that the customer has to pay."""
    emails: EmailFields | None = None
    """Emails that the provider sends to the customer."""
