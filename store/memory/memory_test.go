package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Backend{Open: func(string) (store.Store, error) { return memory.New(), nil }})
}
