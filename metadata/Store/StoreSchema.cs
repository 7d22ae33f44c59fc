namespace Overlay.Metadata.Store;

/// <summary>
/// The tables. Each step takes the store from the version of its index to the next and is never changed once released;
/// <c>PRAGMA user_version</c> says how far a store is. Ids are random 16-byte blobs, times are Unix seconds.
/// </summary>
internal static class StoreSchema
{
    /// <summary>"OVLY" in <c>PRAGMA application_id</c>: this database is a store and nothing else.</summary>
    internal const int ApplicationId = 0x4F564C59;

    internal static readonly string[] Steps =
    [
        """
        CREATE TABLE volume (                      -- one row: a store belongs to one volume
            id              BLOB    PRIMARY KEY CHECK (length(id) = 16),
            format          INTEGER NOT NULL,
            suite           INTEGER NOT NULL,      -- of new files
            compress        INTEGER NOT NULL CHECK (compress IN (0, 1)),
            block_size_log2 INTEGER NOT NULL CHECK (block_size_log2 BETWEEN 12 AND 20),
            created         INTEGER NOT NULL,
            key_version     INTEGER NOT NULL REFERENCES volume_key_version (version)
        ) STRICT;

        CREATE TABLE volume_key_version (
            version     INTEGER PRIMARY KEY,
            state       INTEGER NOT NULL,          -- 1 current, 2 retired (still unwraps)
            created     INTEGER NOT NULL,
            check_value BLOB    NOT NULL CHECK (length(check_value) = 16)
        ) STRICT;

        CREATE TABLE key_slot (
            id           INTEGER PRIMARY KEY,
            kind         INTEGER NOT NULL,         -- SlotKind
            key_version  INTEGER NOT NULL REFERENCES volume_key_version (version),
            salt         BLOB    NOT NULL CHECK (length(salt) = 16),
            memory_kib   INTEGER NOT NULL,         -- Argon2id; 0 for a key file
            iterations   INTEGER NOT NULL,
            secret_check BLOB    NOT NULL CHECK (length(secret_check) = 16),
            wrapped_key  BLOB    NOT NULL,
            created      INTEGER NOT NULL,
            label        TEXT    NOT NULL
        ) STRICT;

        -- Deleting a row shreds its file. The table has rowids on purpose: ids are random, and a table ordered by them spreads
        -- each batch over as many pages as it has rows (60,000 files through a busy agent: 88 to 214 us a file; with rowids 37
        -- to 98).
        CREATE TABLE file (
            file_id         BLOB    NOT NULL PRIMARY KEY CHECK (length(file_id) = 16),
            wrapped_key     BLOB    NOT NULL,
            key_version     INTEGER NOT NULL REFERENCES volume_key_version (version),
            suite           INTEGER NOT NULL,
            block_size_log2 INTEGER NOT NULL,
            created         INTEGER NOT NULL,
            state           INTEGER NOT NULL,      -- FileState
            path            TEXT    NOT NULL       -- last known, relative to the volume; '' if never told
        ) STRICT;
        """,

        """
        -- How far a file has come, as far as the agent was told: an older copy in its place is found by that.
        ALTER TABLE file ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;   -- of its header (format, 4); 0: never told
        ALTER TABLE file ADD COLUMN boot INTEGER NOT NULL DEFAULT 0;       -- boot word of the teller
        """,

        KeyManagement,

        Audit,

        Policy,

        Rekeying,
    ];

    private const string KeyManagement =
        """
        -- Lets the volume key be changed without the slots' secrets: the new one is sealed to these public keys.
        CREATE TABLE IF NOT EXISTS slot_recipient (
            slot       INTEGER PRIMARY KEY REFERENCES key_slot (id) ON DELETE CASCADE,
            public_key BLOB    NOT NULL CHECK (length(public_key) = 32),   -- X25519
            seal       BLOB    NOT NULL CHECK (length(seal) = 32),         -- SlotSealing.RecipientSealOf: nobody without the volume key made it
            token      TEXT    NOT NULL,                                   -- PKCS#11 URI, else ''
            token_data BLOB    NOT NULL                                    -- what the token opens, else empty
        ) STRICT;

        CREATE TABLE IF NOT EXISTS volume_secret (     -- other keys of the volume, wrapped under the volume key
            name       TEXT    PRIMARY KEY,
            wrapped    BLOB    NOT NULL,
            public_key BLOB    NOT NULL,               -- empty if it has none
            created    INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE IF NOT EXISTS shredded (          -- files whose keys were destroyed; no backup brings them back
            file_id     BLOB    PRIMARY KEY CHECK (length(file_id) = 16),
            shredded    INTEGER NOT NULL,
            path        TEXT    NOT NULL,
            certificate TEXT    NOT NULL               -- its number
        ) STRICT;

        CREATE TABLE IF NOT EXISTS store_backup (      -- copies that were made of this store
            path    TEXT    PRIMARY KEY,
            created INTEGER NOT NULL
        ) STRICT;

        ALTER TABLE file ADD COLUMN seals INTEGER NOT NULL DEFAULT 0;      -- how often its key has sealed, as far as programs told
        """;

    private const string Audit =
        """
        CREATE TABLE IF NOT EXISTS audit_head (        -- how far the audit log has come; no row: it was never on
            id            INTEGER PRIMARY KEY CHECK (id = 1),
            is_on         INTEGER NOT NULL CHECK (is_on IN (0, 1)),
            sequence      INTEGER NOT NULL,            -- of the last record
            segment       INTEGER NOT NULL,            -- its file
            length        INTEGER NOT NULL,            -- of that file, up to the record's end
            first_segment INTEGER NOT NULL,            -- older files were archived
            first_before  INTEGER NOT NULL,            -- sequence of the record before its first
            first_chain   BLOB    NOT NULL CHECK (length(first_chain) = 32),   -- and that one's chain value
            chain         BLOB    NOT NULL CHECK (length(chain) = 32),
            mac           BLOB    NOT NULL CHECK (length(mac) = 32)
        ) STRICT;
        """;

    private const string Policy =
        """
        CREATE TABLE IF NOT EXISTS policy (            -- every version there was; the greatest is in force (PolicyStore)
            version   INTEGER PRIMARY KEY,
            created   INTEGER NOT NULL,
            author    TEXT    NOT NULL,
            text      TEXT    NOT NULL,
            signature BLOB    NOT NULL CHECK (length(signature) = 64)
        ) STRICT;
        """;

    private const string Rekeying =
        """
        ALTER TABLE file ADD COLUMN key_epoch INTEGER NOT NULL DEFAULT 0;  -- how often its key was replaced (format, 4)

        CREATE TABLE IF NOT EXISTS next_key (          -- of files that are being given another key: both are needed
            file_id     BLOB    NOT NULL PRIMARY KEY CHECK (length(file_id) = 16) REFERENCES file (file_id) ON DELETE CASCADE,
            wrapped_key BLOB    NOT NULL,
            key_version INTEGER NOT NULL REFERENCES volume_key_version (version),
            created     INTEGER NOT NULL,
            seals       INTEGER NOT NULL,              -- of the file when it was made: what comes is counted for it
            path        TEXT    NOT NULL,              -- as in file
            done        INTEGER NOT NULL,              -- bytes, when that was last noted
            size        INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE IF NOT EXISTS rekey_job (         -- commands that have not ended: who starts one again goes on with it
            paths   TEXT    PRIMARY KEY,
            started INTEGER NOT NULL
        ) STRICT;
        """;

    internal static int CurrentVersion => Steps.Length;
}
