"""What the core says about a record, in French. A `{}` stands for a value, which keeps its place."""

from collections.abc import Mapping

PHRASES: Mapping[str, str] = {
    # what it is
    "It is still a draft.": "C’est encore un brouillon.",
    "It was voided before it was ever sent.": "La facture a été annulée avant d’avoir été envoyée.",
    "It was last changed before {}.": "Sa dernière modification date d’avant le {}.",
    "It has no e-mail address.": "Pas d’adresse e-mail.",
    "It has no SKU.": "Pas de référence (SKU).",
    "It is inactive.": "Fiche inactive.",
    "It is a job or sub-customer: its invoices go to the contact of its parent.": (
        "C’est un chantier ou un sous-client : ses factures vont au contact de son parent."
    ),
    "No invoice needs it on the other side yet.": "Aucune facture n’en a encore besoin de l’autre côté.",
    "It pays no invoice.": "Ce paiement ne règle aucune facture.",
    "The money is not there: the payment is {}.": "L’argent n’est pas arrivé : le paiement est {}.",
    "It carries our reference, but no record of ours made it here.": (
        "Elle porte notre référence, mais aucun enregistrement d’ici ne l’a créée."
    ),
    "Its source is {}.": "Sa source est {}.",
    "Nothing tells where it was born.": "Rien ne dit où elle a été créée.",
    "The filter asks for {}.": "Le filtre demande {}.",
    "Its invoice is not part of this sync.": "Sa facture ne fait pas partie de cette synchronisation.",
    "Its invoice {} is excluded: {}": "Sa facture {} est exclue : {}",
    "Excluded by {}.": "Laissé de côté par {}.",
    "Unlinked by {}.": "Délié par {}.",
    "Erased.": "Effacé.",
    "by {}": "par {}",
    # gone, deleted, merged
    "It was deleted.": "Supprimé.",
    "It is gone on both sides.": "Disparu des deux côtés.",
    "It was deleted where it was born; the other side keeps its copy.": (
        "Supprimé là où il a été créé ; l’autre côté garde sa copie."
    ),
    "It was removed, and this flow does not go that way.": "Retiré, et ce flux ne va pas dans ce sens.",
    "It was voided there, and this flow does not go that way.": "Annulé là-bas, et ce flux ne va pas dans ce sens.",
    "The booked invoice was deleted.": "La facture comptabilisée a été supprimée.",
    "The payment was removed there.": "Le paiement y a été retiré.",
    "It was merged into {}.": "Fusionné avec {}.",
    "It could not be read.": "Impossible à lire.",
    "It holds something that cannot be understood.": "Son contenu ne peut pas être compris.",
    # matching
    "{} stands on {} there.": "{} y figure sur {}.",
    "It belongs to {} already.": "Appartient déjà à {}.",
    "What was made for it belongs to {} already.": "Ce qui a été créé pour lui appartient déjà à {}.",
    "“{}” is synced with a product of its own.": "« {} » est synchronisé avec un produit à lui.",
    "{} of the same customer was paid with the same amount.": "{} du même client a été payée du même montant.",
    "{} has another date.": "{} a une autre date.",
    "same customer and total.": "même client et même total.",
    # parents
    "The invoice names no customer.": "La facture ne désigne aucun client.",
    "Customer {} could not be read.": "Le client {} n’a pas pu être lu.",
    "The product “{}” is being made.": "Le produit « {} » est en cours de création.",
    "the customers flow does not go this way": "le flux des clients ne va pas dans ce sens",
    "it is being created": "en cours de création",
    "it is on its way": "en route",
    "its counterpart is gone": "son équivalent a disparu",
    "its counterpart is inactive": "son équivalent est inactif",
    "a write is on its way": "une écriture est en route",
    "its paid amount is being written": "son montant payé est en cours d’écriture",
    "Its invoice is gone on the other side.": "Sa facture n’existe plus de l’autre côté.",
    "An older state was put back.": "Un état plus ancien a été remis en place.",
    "Its invoice is not to be seen on the other side yet.": "Sa facture n’est pas encore visible de l’autre côté.",
    "The same is being created already.": "Le même est déjà en cours de création.",
    "It is not said how much of the payment is for which invoice.": (
        "Il n’est pas dit quelle part du paiement règle quelle facture."
    ),
    # values, limits, money
    "{} needs {}: {}": "{} attend {} : {}",
    "{} is no date: {}": "{} n’est pas une date : {}",
    "“{}” has no value in {}, which knows {}.": "« {} » n’a pas de valeur dans {}, qui connaît {}.",
    "{} has {} characters, at most {} fit there.": "{} a {} caractères, {} au plus y tiennent.",
    "It has {} lines, at most {} fit there.": "Il y a {} lignes, {} au plus y tiennent.",
    "The invoice has no line.": "La facture n’a aucune ligne.",
    "Its parts do not add up to its own total.": "Ses parties ne donnent pas son propre total.",
    "The lines do not add up to the total.": "Les lignes ne donnent pas le total.",
    "One side says {}, the other one {}.": "Un côté dit {}, l’autre {}.",
    "It is in {}, the other side keeps {}.": "En {}, alors que l’autre côté tient ses comptes en {}.",
    "{} has more decimals than the {} that fit there.": "{} a plus de décimales que les {} qui y tiennent.",
    "The customer is kept in {} there, the invoice is in {}.": "Le client y est tenu en {}, la facture est en {}.",
    "Discounts on the whole are switched off over there.": "Les remises globales y sont désactivées.",
    "No income account is configured for products made over there.": (
        "Aucun compte de produits n’est configuré pour les articles créés là-bas."
    ),
    "The books are closed until {}.": "Les comptes sont clôturés jusqu’au {}.",
    # taxes
    "No tax code is configured for {}.": "Aucun code de taxe n’est configuré pour {}.",
    "There is no tax code “{}” over there, for the rate {} %.": (
        "Il n’y a pas de code de taxe « {} » là-bas, pour le taux de {} %."
    ),
    "“{}” takes {} %, the line says {} %.": "« {} » prend {} %, la ligne dit {} %.",
    "One tax code fits on an invoice there, this one needs {}.": (
        "Une facture n’y porte qu’un code de taxe, celle-ci demande {}."
    ),
    "It carries tax of a rate that is not known.": "Elle porte une taxe dont le taux est inconnu.",
    "The taxes come to {} here and to {} there.": "Les taxes font {} ici et {} là-bas.",
    "There is no active product “{}” for taxes.": "Il n’y a pas de produit actif « {} » pour les taxes.",
    "The other side's country asks for a tax code on every line, and none is configured.": (
        "Le pays de l’autre côté demande un code de taxe sur chaque ligne, et aucun n’est configuré."
    ),
    # writes under way
    "It changed meanwhile.": "Modifié entre-temps.",
    "It changed again and again while it was being written.": "Modifié sans cesse pendant l’écriture.",
    "Its name is taken: the configured pattern tells it apart.": (
        "Son nom est pris : le modèle configuré le distingue."
    ),
    "the answer left it out": "la réponse n’en parle pas",
    "its request is no longer known": "sa demande n’est plus connue",
    "more and more was asked for": "il en fallait toujours davantage",
    "update, lines too": "mis à jour, lignes comprises",
    "{} -> {}": "{} → {}",
    # a plan that is carried out later
    "What it depends on has changed.": "Ce dont il dépend a changé.",
    "There is nothing to write for it any more, or something else is to be written.": (
        "Il n’y a plus rien à écrire, ou autre chose est à écrire."
    ),
    "The rules have changed.": "Les règles ont changé.",
    "It has changed on {}.": "Modifié du côté {}.",
    "It was synced meanwhile.": "Synchronisé entre-temps.",
    # why an action is not carried out
    "it is {}: there is nothing to try again; “refresh” reads it anew": (
        "statut {} : rien à réessayer ; « Relire » le relit"
    ),
    "it is excluded by a person already": "déjà laissé de côté par une personne",
    "it is {}, and neither excluded by a person nor perhaps there already": (
        "statut {}, ni laissé de côté par une personne, ni peut-être déjà là"
    ),
    "it is {}: only what stands on both sides can be forced": (
        "statut {} : on n’impose que ce qui existe des deux côtés"
    ),
    "the flow does not go that way": "le flux ne va pas dans ce sens",
    "it is {}: no conflict is held": "statut {} : aucun conflit n’est en attente",
    "it is {}: there is no difference between two sides to accept": (
        "statut {} : il n’y a pas de différence entre les deux côtés à accepter"
    ),
    "it is {}: there is no forbidden edit to revert": "statut {} : aucune modification interdite à annuler",
    "it has both halves already": "il a déjà ses deux moitiés",
    "it has no half of its own": "il n’a aucune moitié à lui",
    "it has one half only": "il n’a qu’une moitié",
    "the write is sent again: if the first one was carried out after all, it is there twice": (
        "l’écriture est renvoyée : si la première a finalement abouti, elle y sera deux fois"
    ),
    "{} is not to be found there": "{} est introuvable là-bas",
    "{} belongs to {} already": "{} appartient déjà à {}",
    "a write about {} is on its way; ask again": "une écriture sur {} est en route ; redemandez",
    "its parts do not add up to its own total, on one side alone": (
        "ses parties ne donnent pas son propre total, d’un seul côté"
    ),
}
