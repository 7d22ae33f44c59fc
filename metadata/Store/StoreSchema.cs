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
    ];

    internal static int CurrentVersion => Steps.Length;
}
