"""The catalogue's words in French: code -> title, explanation (the cause), remedy (what to do)."""

from __future__ import annotations

FRENCH: dict[str, tuple[str, str, str]] = {
    # pending
    "queued": (
        "En file d’attente",
        "Quelque chose a changé et l’enregistrement sera examiné à son tour.",
        "Rien à faire.",
    ),
    "retry": (
        "Nouvel essai prévu",
        "Le dernier essai a échoué pour une raison qui passe en général d’elle-même.",
        "Rien à faire ; choisissez « réessayer » pour un essai immédiat.",
    ),
    "waits_parent": (
        "Attend un autre enregistrement",
        "Un enregistrement dont celui-ci a besoin, comme son client ou sa facture, est encore en route.",
        "Rien à faire : la suite vient dès que l’autre enregistrement est arrivé.",
    ),
    "waits_connection": (
        "Attend une connexion",
        "{left} ou {right} est injoignable ou inutilisable pour le moment.",
        "Consultez les connexions ; l’enregistrement reprend de lui-même dès que la connexion fonctionne.",
    ),
    "resolving": (
        "Vérification en cours",
        "Une écriture a été envoyée et sa réponse n’est jamais arrivée : elle a pu être exécutée ou non.",
        "Rien à faire : tout est vérifié avant le moindre nouvel envoi.",
    ),
    "paused": (
        "En pause",
        "Une personne a mis en pause ce type d’enregistrement.",
        "Relancez le flux quand vous le souhaitez ; rien ne se perd entre-temps.",
    ),
    "held": (
        "Retenu par sécurité",
        "Quelque chose d’inhabituel allait être écrit : un disjoncteur de ce flux l’a arrêté ; son nom et ses chiffres "
        "figurent à côté. Les autres écritures continuent.",
        "Vérifiez que c’est voulu, puis libérez le flux (`syncd release`).",
    ),
    "not_approved": (
        "Attend une approbation",
        "Le premier passage créerait beaucoup d’enregistrements : il attend l’accord d’une personne.",
        "Lisez le plan, puis appliquez-le ou libérez le flux.",
    ),
    # failed
    "customer_missing": (
        "Client manquant",
        "Aucun client utilisable n’a été trouvé de l’autre côté pour ce document : le contact est absent, sans adresse "
        "e-mail, exclu, ou les clients ne sont pas synchronisés.",
        "Donnez au document un contact avec une adresse e-mail, ou complétez le contact ; la reprise est automatique.",
    ),
    "customer_ambiguous": (
        "Plusieurs clients possibles",
        "Plusieurs clients ont la même adresse e-mail, et deviner pourrait facturer le mauvais.",
        "Fusionnez les doublons, donnez à chacun sa propre adresse e-mail, ou liez le bon à la main.",
    ),
    "product_ambiguous": (
        "Plusieurs produits possibles",
        "Deux produits actifs ont la même référence (SKU).",
        "Donnez à chaque produit sa propre référence, ou désactivez l’un des deux.",
    ),
    "product_inactive": (
        "Produit hors d’usage",
        "Le produit d’une ligne a été désactivé de l’autre côté. Il n’est ni utilisé ni remplacé sans le dire.",
        "Réactivez-le là-bas, ou prenez un autre produit sur la ligne ; le document repart ensuite de lui-même.",
    ),
    "duplicate_display_name": (
        "Nom déjà pris",
        "{right} exige des noms uniques, et un client, un fournisseur ou un employé porte déjà celui-ci.",
        "Changez le nom de société ou le nom complet dans {left}, renommez l’autre fiche dans {right}, ou configurez "
        "un modèle qui distingue les homonymes.",
    ),
    "duplicate_document_number": (
        "Numéro de document déjà utilisé",
        "Un autre document porte déjà ce numéro dans {right}.",
        "Changez le numéro de l’un des deux documents.",
    ),
    "document_ambiguous": (
        "Peut-être déjà présent",
        "Un document d’avant le début de la synchronisation ressemble à un document de {right} (ou de {left}) : même "
        "client et même total, mais un autre numéro ou une autre date. Il n’a été ni recréé ni relié.",
        "Reliez-le au document qu’il est déjà, ou incluez-le si c’en est un autre.",
    ),
    "edited_outside_origin": (
        "Modifié du mauvais côté",
        "Des montants, des lignes, le client ou des paiements de ce document ont été modifiés d’un côté qui n’en est "
        "pas l’origine. Rien n’a été écrasé ; tout l’enregistrement attend.",
        "Annulez la modification (revert) ou acceptez la différence (accept) ici ; ou "
        "annulez-la là où elle a été faite, et faites-la du côté où le document est né : l’enregistrement reprend de "
        "lui-même dès que l’annulation est vue.",
    ),
    "conflict_held": (
        "Même champ modifié des deux côtés",
        "Le même champ a été modifié différemment dans {left} et dans {right}, et la règle demande une personne.",
        "Comparez les deux valeurs et choisissez celle qui reste.",
    ),
    "amount_mismatch": (
        "Totaux différents",
        "Le total du document ne serait pas le même au centime près des deux côtés : il n’a pas été enregistré.",
        "Vérifiez quantités, prix, remises et arrondis des lignes, pour que leur somme soit le total. Une différence "
        "entre deux documents qui existent tous deux peut être acceptée.",
    ),
    "currency_mismatch": (
        "Devise incompatible",
        "La devise du document n’est pas utilisable de l’autre côté, ou par le client qui s’y trouve.",
        "Changez la devise du document, prenez un client dans cette devise, ou activez-y les devises multiples.",
    ),
    "order_level_amount": (
        "Montant sur tout le document",
        "Une taxe, des frais ou une seconde remise portent sur le document entier, et {right} n’a pas de place pour "
        "cela.",
        "Faites-en une ligne à part. Une taxe en ligne est comptabilisée sur son produit et n’entre pas dans les "
        "déclarations de taxes de {right}.",
    ),
    "tax_code_required": (
        "Code de taxe nécessaire",
        "{right} exige un code de taxe pour ce document, et aucun n’est configuré pour son taux.",
        "Associez chaque taux à un code de taxe de {right} dans la configuration.",
    ),
    "service_date_required": (
        "Date de prestation nécessaire",
        "La comptabilisation des revenus est activée dans {right} : chaque ligne doit avoir une date de prestation.",
        "Renseignez les dates de prestation, ou configurez une valeur par défaut comme la date de facture.",
    ),
    "accounting_period_closed": (
        "Période comptable clôturée",
        "Les comptes de {right} sont clôturés à la date de ce document. Cela n’est jamais forcé.",
        "Datez le document dans une période ouverte, ou faites rouvrir la période par le comptable ; la suite "
        "vient d’elle-même.",
    ),
    "record_locked": (
        "Verrouillé",
        "L’enregistrement est finalisé, rapproché, remis en banque ou verrouillé autrement : il n’est plus modifiable.",
        "Déverrouillez-le là où il est verrouillé, ou annulez la modification qui devait être écrite.",
    ),
    "invoice_voided": (
        "Facture annulée",
        "La facture a été annulée : rien ne peut plus y être enregistré.",
        "Utilisez une autre facture, ou rétablissez la facture là où elle a été annulée.",
    ),
    "suspected_double_billing": (
        "Peut-être facturé deux fois",
        "Cette vente dans {right} a le client, le montant et à peu près le jour d’un paiement d’une facture venue de "
        "{left}. Un second automatisme semble avoir facturé ce paiement une fois de plus. Rien n’a été entrepris.",
        "Si c’est le cas, supprimez l’une des deux dans {right}, et faites en sorte que le workflow de {left} qui crée "
        "des factures ou des reçus à partir des paiements écarte ceux dont la source est une facture. S’il s’agit "
        "d’une vente à part entière, acceptez-la.",
    ),
    "parent_failed": (
        "Un enregistrement nécessaire a échoué",
        "Un enregistrement dont celui-ci dépend, comme son client, son produit ou sa facture, n’a pas pu être "
        "synchronisé.",
        "Corrigez l’enregistrement indiqué ; celui-ci reprend ensuite de lui-même.",
    ),
    "field_required": (
        "Valeur manquante",
        "Un champ que l’autre côté exige est vide.",
        "Remplissez le champ indiqué, ou configurez une constante pour lui.",
    ),
    "field_value_invalid": (
        "Valeur refusée",
        "La valeur d’un champ est trop longue, mal formée ou hors limites pour l’autre côté.",
        "Corrigez la valeur du champ indiqué.",
    ),
    "option_unknown": (
        "Option inconnue",
        "L’option choisie n’existe pas de l’autre côté.",
        "Ajoutez-y l’option, ou associez-la à une option existante dans la configuration.",
    ),
    "field_not_writable": (
        "Champ non modifiable",
        "Un champ associé est en lecture seule ou calculé de l’autre côté.",
        "Associez-le dans l’autre sens seulement, ou choisissez un autre champ.",
    ),
    "mapping_invalid": (
        "Correspondance inutilisable",
        "Un champ associé n’existe pas, ou son type ne convient pas à celui de l’autre côté.",
        "Corrigez la correspondance dans la configuration, puis vérifiez-la.",
    ),
    "state_not_allowed": (
        "Impossible dans cet état",
        "L’état de l’enregistrement ne permet pas cette étape, par exemple parce qu’il est encore en brouillon ou déjà "
        "payé.",
        "Amenez l’enregistrement dans l’état nécessaire, ou annulez l’étape.",
    ),
    "amount_above_limit": (
        "Montant au-dessus de la limite",
        "Le montant dépasse ce que l’autre côté permet pour cette opération.",
        "Réduisez ou divisez le montant, ou faites relever la limite.",
    ),
    "numbering_missing": (
        "Numérotation absente",
        "{right} ne peut pas numéroter le document, car aucune numérotation n’y est configurée.",
        "Configurez la numérotation dans {right}, puis réessayez.",
    ),
    "record_gone": (
        "Disparu d’un côté",
        "L’enregistrement a été supprimé, archivé ou fusionné d’un côté. Il n’a pas été supprimé de l’autre.",
        "Restaurez-le, liez l’enregistrement qui le remplace, ou excluez-le.",
    ),
    "permission_missing": (
        "Droit manquant",
        "L’utilisateur ou l’application connectés n’ont pas le droit de faire cela.",
        "Accordez le droit indiqué, ou reconnectez-vous avec un utilisateur qui l’a, puis réessayez.",
    ),
    "vendor_rejected": (
        "Refusé par l’autre côté",
        "L’autre côté a refusé l’écriture pour une raison qui lui est propre ; ses mots sont affichés.",
        "Lisez ses mots et corrigez l’enregistrement, ou réessayez s’ils disent que le problème est passé.",
    ),
    "unknown_outcome": (
        "Issue inconnue",
        "Une écriture a été envoyée, sa réponse n’est jamais arrivée, et son issue n’a pas pu être établie. Elle n’a "
        "pas été répétée.",
        "Cherchez l’enregistrement de l’autre côté : liez-le s’il s’y trouve, réessayez sinon.",
    ),
    "internal_error": (
        "Défaut de ce programme",
        "L’enregistrement a rencontré un défaut de ce programme. Les autres ne sont pas touchés.",
        "Réessayez une fois ; si cela persiste, signalez-le avec l’activité de l’enregistrement, et excluez-le "
        "entre-temps.",
    ),
    # excluded
    "filtered": (
        "Hors du filtre",
        "L’enregistrement ne répond pas au filtre de ce flux.",
        "Modifiez l’enregistrement ou le filtre s’il doit être synchronisé.",
    ),
    "draft": (
        "Brouillon",
        "Les brouillons ne sont pas synchronisés.",
        "Finalisez le document.",
    ),
    "other_source": (
        "Vient d’ailleurs",
        "L’enregistrement est né dans un autre système, ou rien ne dit où il est né.",
        "Rien à faire. S’il existe des deux côtés et doit être synchronisé, liez les deux à la main.",
    ),
    "before_start": (
        "Antérieur à la synchronisation",
        "L’enregistrement n’a pas changé depuis le début de la synchronisation.",
        "Lancez une reprise d’historique depuis une date antérieure s’il doit être synchronisé.",
    ),
    "no_email": (
        "Sans adresse e-mail",
        "Clients et contacts sont rapprochés par adresse e-mail, et celui-ci n’en a pas.",
        "Renseignez l’adresse e-mail.",
    ),
    "no_sku": (
        "Sans référence (SKU)",
        "Les produits sont rapprochés par référence (SKU), et celui-ci n’en a pas.",
        "Renseignez la référence.",
    ),
    "direction_off": (
        "Sens désactivé",
        "Ce flux ne transporte pas d’enregistrements dans ce sens.",
        "Changez le sens du flux dans la configuration s’il doit être synchronisé.",
    ),
    "by_person": (
        "Exclu par une personne",
        "Une personne a exclu cet enregistrement.",
        "Incluez-le à nouveau quand il doit être synchronisé.",
    ),
    "unsupported_region": (
        "Règles de taxe non configurées",
        "La société tient ses comptes dans un pays où chaque ligne doit porter une taxe, et aucune correspondance de "
        "taxes n’est configurée.",
        "Associez les taux de taxe dans la configuration.",
    ),
    "no_billing_data": (
        "Sans données de facturation",
        "L’enregistrement ne contient rien à facturer.",
        "Renseignez les données de facturation.",
    ),
    "not_from_crm": (
        "Sans lien avec {left}",
        "Le document n’est pas né d’un enregistrement de {left} et n’y est pas lié.",
        "Liez-le à un enregistrement de {left} s’il doit être synchronisé.",
    ),
    "deleted_at_source": (
        "Supprimé à l’origine",
        "L’enregistrement a été supprimé là où il est né. L’autre côté garde sa copie, s’il en a une.",
        "Rien à faire ; restaurez-le s’il doit être synchronisé.",
    ),
    # notes
    "variance_accepted": (
        "Écart accepté",
        "Une personne a accepté un écart entre les deux côtés.",
        "Rien à faire.",
    ),
    "payment_mirrored": (
        "Paiement affiché, non enregistré",
        "{left} n’offre aucun moyen d’enregistrer ce paiement : son montant, sa date et le solde y figurent dans des "
        "champs.",
        "Rien à faire.",
    ),
    "counterpart_gone": (
        "L’autre côté a disparu",
        "L’enregistrement de l’autre côté a été supprimé ou archivé. Ce côté-ci est resté tel quel.",
        "Restaurez-le s’il est encore utile ; sinon rien à faire.",
    ),
    "apart_by_person": (
        "Un document à part entière",
        "Une personne a confirmé que les documents qui lui ressemblent en sont d’autres.",
        "Rien à faire.",
    ),
    "counterpart_inactive": (
        "L’autre côté est hors d’usage",
        "L’enregistrement de l’autre côté a été rendu inactif. Rien n’y est écrit, et aucun nouveau document ne peut "
        "l’utiliser.",
        "Réactivez-le s’il est encore utile ; sinon rien à faire.",
    ),
    "other_credit": (
        "Soldée en partie par un autre crédit",
        "Un avoir, un acompte ou un autre crédit règle une partie de cette facture dans {right}. Il apparaît dans le "
        "solde et ne devient jamais un paiement.",
        "Rien à faire.",
    ),
    "payment_refunded": (
        "Argent remboursé",
        "Tout ou partie du paiement a été remboursé d’un côté. Le paiement n’a pas été repris de l’autre ; le solde de "
        "la facture montre ce que dit {right}.",
        "Comptabilisez aussi le remboursement de l’autre côté, comme le veut votre comptable.",
    ),
    "double_billing_denied": (
        "Pas facturé deux fois",
        "Une personne a déclaré que cette vente en est une à part entière, bien qu’elle ressemble à une autre.",
        "Rien à faire.",
    ),
    # connections
    "authorization_lost": (
        "Autorisation perdue",
        "Les identifiants de la connexion ne sont plus acceptés : révoqués, expirés ou faux.",
        "Reconnectez-vous ; tout ce qui attendait reprend alors.",
    ),
    "account_changed": (
        "Autre compte",
        "Les identifiants ouvrent désormais un autre compte que celui que cette connexion a toujours utilisé.",
        "Reconnectez le premier compte, ou créez une connexion et une synchronisation pour l’autre compte.",
    ),
    "quota_exhausted": (
        "Limite d’appels atteinte",
        "La limite d’appels du compte est épuisée, peut-être aussi par d’autres programmes.",
        "Rien à faire : la suite vient dès que la limite le permet. Si cela se répète, voyez quels programmes "
        "utilisent le compte.",
    ),
    "vendor_unavailable": (
        "Injoignable",
        "Le service ne répond pas ou signale une panne de son côté.",
        "Rien à faire : de nouveaux essais ont lieu et tout est rattrapé. Si cela dure, vérifiez votre réseau.",
    ),
    "tls_failed": (
        "Connexion non sûre",
        "L’autre extrémité n’a pas pu prouver son identité : rien n’a été envoyé.",
        "Vérifiez l’adresse, l’horloge et les certificats de cette machine, et tout proxy intermédiaire.",
    ),
    "malformed_answer": (
        "Réponses illisibles",
        "Plusieurs réponses de suite étaient illisibles ; aucune n’a été utilisée.",
        "Rien à faire : de nouveaux essais ont lieu. Si cela dure, cherchez un proxy intermédiaire et signalez-le.",
    ),
    "other_sync": (
        "Une autre synchronisation est active",
        "Un autre programme transmet aussi les factures de ce compte : chaque facture serait comptabilisée deux fois. "
        "Rien n’est écrit.",
        "Désactivez l’autre synchronisation ; celle-ci démarre alors d’elle-même. Si elle l’est déjà ou transmet "
        "d’autres factures, autorisez-la avec l’option allow_other_sync de la connexion.",
    ),
}

BREAKERS: dict[str, tuple[str, str]] = {
    "clock": (
        "Horloges décalées",
        "L’horloge d’un fournisseur et celle de cette machine diffèrent de {n} minutes : rien n’est créé, la date "
        "pourrait être fausse. Réglez l’horloge ; la suite se fait d’elle-même.",
    ),
    "closed": (
        "Période clôturée",
        "{n} enregistrements sont refusés parce que leur période est clôturée : rien de daté du {day} ou d’avant n’y "
        "est envoyé. Rouvrez la période ou changez les dates.",
    ),
    "rules": (
        "Règles modifiées",
        "Après un changement de configuration, {n} enregistrements seraient écrits ; {most} sont permis. Regardez "
        "`syncd plan` avant de libérer.",
    ),
    "empty": (
        "Un côté est vide",
        "{n} enregistrements ont disparu d’un côté, c’est-à-dire tout ou presque tout ce qu’il contenait.",
    ),
    "removals": (
        "Beaucoup de suppressions",
        "{n} enregistrements seraient annulés ou supprimés ; {most} sont permis.",
    ),
    "creates": (
        "Beaucoup de créations",
        "{n} enregistrements seraient créés en une heure ; {most} sont habituels ici.",
    ),
    "money": ("Montants importants", "Les totaux changeraient de {n} en une heure ; {most} est permis."),
    "changes": (
        "Tout a changé",
        "{n} enregistrements sur {linked} seraient modifiés en une heure ; {most} sont permis.",
    ),
}
"""Disjoncteur -> son nom, et ses chiffres en toutes lettres."""
