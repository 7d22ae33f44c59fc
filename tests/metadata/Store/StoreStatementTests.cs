using Microsoft.Data.Sqlite;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Store;

public class StoreStatementTests
{
    [Fact]
    public void A_statement_is_run_again_and_again_and_says_what_it_changed()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        var store = unlocked.Store.Connection;
        store.Execute("CREATE TABLE t (id BLOB PRIMARY KEY, n INTEGER, text TEXT)");
        using var insert = store.PrepareRaw("INSERT INTO t VALUES (?, ?, ?)");
        using var update = store.PrepareRaw("UPDATE t SET n = n + 1 WHERE n >= ?");
        using var read = store.PrepareRaw("SELECT n FROM t WHERE text = ?");
        foreach (var (id, number, text) in new[] { ((byte)1, 5L, "ä\0b"), ((byte)2, long.MaxValue - 1, ""), ((byte)3, -7L, "c") })
        {
            insert.Bind(1, [id, 0, id]);
            insert.Bind(2, number);
            insert.Bind(3, text);
            Assert.Equal(1, insert.Run());
        }
        update.Bind(1, 5);
        Assert.Equal(2, update.Run());
        update.Bind(1, long.MaxValue);
        Assert.Equal(1, store.QueryNumber("SELECT count(*) FROM t WHERE n = 9223372036854775807"));
        read.Bind(1, "");
        Assert.Equal(long.MaxValue, read.RunForNumber());
        read.Bind(1, "nobody");
        Assert.Null(read.RunForNumber());
        Assert.Equal(1, store.QueryNumber("SELECT count(*) FROM t WHERE id = x'030003'"));
    }

    /// <summary>After a failure it can be run again, as a command can.</summary>
    [Fact]
    public void What_SQLite_refuses_is_an_exception_of_its_kind()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        var store = unlocked.Store.Connection;
        store.Execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
        using var insert = store.PrepareRaw("INSERT INTO t VALUES (?)");
        insert.Bind(1, 1);
        Assert.Equal(1, insert.Run());
        Assert.Equal(19, Assert.Throws<SqliteException>(() => insert.Run()).SqliteErrorCode);
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => store.Guard(() => { _ = insert.Run(); })).Error);
        insert.Bind(1, 2);
        Assert.Equal(1, insert.Run());
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => store.PrepareRaw("no statement")).Error);
    }
}
