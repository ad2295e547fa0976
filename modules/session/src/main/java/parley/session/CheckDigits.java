package parley.session;

import java.util.Map;

/** What tells a number that means something from any other: check digits, by the rules of whoever issues them. */
final class CheckDigits {
    private static final String DNI = "TRWAGMYFPDXBNJZSQVHLCKE";

    /** Lengths of the SWIFT registry of IBANs, release 99. */
    private static final Map<String, Integer> IBAN_LENGTHS = lengths(
            "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20"
                    + " EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26"
                    + " IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30"
                    + " NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27"
                    + " SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30");

    private CheckDigits() {}

    private static Map<String, Integer> lengths(String table) {
        return java.util.Arrays.stream(table.split(" "))
                .collect(java.util.stream.Collectors.toUnmodifiableMap(
                        entry -> entry.substring(0, 2), entry -> Integer.valueOf(entry.substring(2))));
    }

    /** Luhn's sum of ISO/IEC 7812-1, over {@code digits[from, to)}. */
    static boolean isLuhn(CharSequence digits, int from, int to) {
        int sum = 0;
        for (int at = to - 1, place = 0; at >= from; at--, place++) {
            int digit = digits.charAt(at) - '0';
            int doubled = place % 2 == 0 ? digit : digit * 2;
            sum += doubled > 9 ? doubled - 9 : doubled;
        }
        return sum % 10 == 0;
    }

    /** How long an IBAN of this country is; 0 where there are none. */
    static int ibanLength(String country) {
        return IBAN_LENGTHS.getOrDefault(country, 0);
    }

    /** Modulo 97 of ISO 13616, over capital letters and digits. */
    static boolean isIban(CharSequence iban) {
        int rest = 0;
        for (int i = 0; i < iban.length(); i++) {
            int value = Character.digit(iban.charAt((i + 4) % iban.length()), 36);
            rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
        }
        return rest == 1;
    }

    /** The German tax id: eleven digits, the last by ISO 7064, MOD 11,10. */
    static boolean isSteuerId(CharSequence digits) {
        if (digits.length() != 11 || digits.charAt(0) == '0') {
            return false;
        }
        int product = 10;
        for (int i = 0; i < 10; i++) {
            int sum = (digits.charAt(i) - '0' + product) % 10;
            product = (sum == 0 ? 10 : sum) * 2 % 11;
        }
        int check = 11 - product;
        return (check == 10 ? 0 : check) == digits.charAt(10) - '0';
    }

    /** The letter behind the eight digits of a Spanish DNI; a NIE's X, Y or Z counts as 0, 1 or 2. */
    static char dniLetter(int number) {
        return DNI.charAt(number % 23);
    }

    /** The French NIR: 97 less the number modulo 97; Corsica's 2A and 2B count as 19 and 18. */
    static boolean isNir(String thirteen, int key) {
        long number = Long.parseLong(thirteen.replace("2A", "19").replace("2B", "18"));
        return 97 - number % 97 == key;
    }

    /** A US social security number that could have been issued: area, group, serial. */
    static boolean isSsn(String area, String group, String serial) {
        return !area.equals("000")
                && !area.equals("666")
                && area.charAt(0) != '9'
                && !group.equals("00")
                && !serial.equals("0000");
    }
}
