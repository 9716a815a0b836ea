//! Prices that people set, replace and withdraw.

use harness::TestDatabase;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{Currency, Layer, Price, PriceFilter, Rate, ServiceTier, Unit};
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::repositories::LlmRepository;
use llm_observatory_storage::writers::{PricesSet, Withdrawal, set_prices, withdraw_price};

use super::OTHER;

fn price(project: Option<ProjectId>, model: &str, from: u64, input: i64) -> Price {
    let rate = Rate { unit: Unit::Input, service: ServiceTier::Standard, from: 0, price: input };
    Price::new(project, "openai", model, UnixNanos(from), Currency::USD, vec![rate], "a contract").unwrap()
}

async fn version(writer: &WriterConnection) -> i64 {
    writer.query_one("SELECT version FROM price_version", &[]).await.unwrap().get(0)
}

/// The rates of the prices that count for a project.
async fn counting(prices: &LlmRepository, project: ProjectId) -> Vec<i64> {
    let book = prices.price_book().await.unwrap();
    let filter = PriceFilter { model: Some("gpt"), project: Some(project), ..PriceFilter::default() };
    let own = book.list(&filter).into_iter().filter(|(layer, _)| *layer != Layer::Catalogue);
    let mut amounts: Vec<_> = own.map(|(_, price)| price.rates[0].price).collect();
    amounts.sort_unstable();
    amounts
}

#[tokio::test]
async fn a_price_takes_the_place_of_the_one_with_the_same_start() {
    let database = TestDatabase::new().await;
    let writer = database.writer().await;
    let prices = LlmRepository::new(database.pool().await);
    let set = async |given: &[Price]| set_prices(&writer, given).await.unwrap();
    let before = version(&writer).await;

    let (first, second) = (price(None, "gpt", 0, 1), price(None, "gpt", 5_000, 2));
    let both = [first.clone(), second.clone()];
    assert_eq!(set(&both).await, PricesSet { set: 2, replaced: 0, unchanged: 0 });
    assert_eq!(set(&both).await, PricesSet { set: 0, replaced: 0, unchanged: 2 });
    assert_eq!(version(&writer).await, before + 1, "only what changes prices raises the version");
    let dearer = price(None, "gpt", 5_000, 3);
    assert_eq!(set(std::slice::from_ref(&dearer)).await, PricesSet { set: 1, replaced: 1, unchanged: 0 });
    let of_other = price(Some(OTHER), "gpt", 5_000, 4);
    assert_eq!(set(std::slice::from_ref(&of_other)).await, PricesSet { set: 1, replaced: 0, unchanged: 0 });

    assert_eq!(counting(&prices, ProjectId::DEFAULT).await, [1, 3]);
    assert_eq!(counting(&prices, OTHER).await, [1, 3, 4]);
    // What was replaced still explains old costs.
    let replaced = prices.price(second.id()).await.unwrap().unwrap();
    assert_eq!((replaced.price, replaced.replaced_at.is_some()), (second.clone(), true));
    assert_eq!(prices.price(of_other.id()).await.unwrap(), None, "of another project");
    // A price that comes back counts again.
    assert_eq!(set(&[second]).await, PricesSet { set: 1, replaced: 1, unchanged: 0 });
    assert_eq!(counting(&prices, ProjectId::DEFAULT).await, [1, 2]);
    assert_eq!(prices.price(dearer.id()).await.unwrap().unwrap().price, dearer);
}

#[tokio::test]
async fn a_price_that_is_withdrawn_counts_no_more() {
    let database = TestDatabase::new().await;
    let writer = database.writer().await;
    let prices = LlmRepository::new(database.pool().await);
    let of_all = [price(None, "gpt", 0, 1), price(None, "gpt", 5_000, 2)];
    set_prices(&writer, &of_all).await.unwrap();
    set_prices(&writer, &[price(Some(OTHER), "gpt", 5_000, 3)]).await.unwrap();
    let withdraw = async |project, from| {
        withdraw_price(&writer, project, "openai", "gpt", UnixNanos(from)).await.unwrap()
    };
    let before = version(&writer).await;
    // Starts count in whole microseconds.
    assert_eq!(withdraw(None, 5_999).await, Withdrawal::Done);
    assert_eq!(version(&writer).await, before + 1, "writers notice it");
    assert_eq!(counting(&prices, OTHER).await, [1, 3], "that of another project still counts");
    assert_eq!(withdraw(None, 5_000).await, Withdrawal::NotSet(vec![UnixNanos(0)]));
    assert_eq!(withdraw(Some(ProjectId::DEFAULT), 0).await, Withdrawal::NotSet(vec![]));
    assert_eq!(version(&writer).await, before + 1, "nothing changed");
    let known = prices.price(of_all[1].id()).await.unwrap().unwrap();
    assert!(known.replaced_at.is_some(), "it still explains old costs");

    let again = set_prices(&writer, &of_all).await.unwrap();
    assert_eq!(again, PricesSet { set: 1, replaced: 0, unchanged: 1 });
    assert_eq!(counting(&prices, ProjectId::DEFAULT).await, [1, 2]);
}
